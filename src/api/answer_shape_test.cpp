// fields=, sort= and page tokens, on the text of answers and through the API.
#include "api/answer_shape.hpp"

#include "api/test_master.hpp"
#include "base/json_values.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::TestMaster;

struct Inner {
  static constexpr std::string_view kTypeName = "Inner";
  std::string state;
  uint64_t count = 0;
  void describe(Visitor& v) {
    v.field("state", state, "");
    v.field("count", count, "");
  }
};
struct Thing {
  static constexpr std::string_view kTypeName = "Thing";
  std::string name;
  std::optional<Inner> inner;
  std::vector<Inner> list;
  std::map<std::string, double> values;
  RawJson raw;
  void describe(Visitor& v) {
    v.field("name", name, "");
    v.field("inner", inner, "");
    v.field("list", list, "");
    v.field("values", values, "");
    v.field("raw", raw, "");
  }
};

FieldTree known() {
  SchemaSet schemas;
  schemas.add<Thing>();
  return FieldTree::of(schemas, "Thing");
}
std::string chosen(std::string_view fields, std::string_view json) {
  const auto choice = FieldChoice::parse(fields, known());
  if (!choice) return choice.error().message;
  std::string out;
  choice->append(out, json);
  return out;
}

constexpr std::string_view kThing =
    R"({"name":"a \"]}, b","inner":{"state":"up","count":3},"list":[{"state":"x","count":1},)"
    R"({"state":"y","count":2}],"values":{"cpu.load":0.5,"b":-1},"raw":{"a":[1,{"b":null}]}})";

TEST(FieldChoice, TakesFieldsWholeOrInPart) {
  EXPECT_EQ(chosen("name", kThing), R"({"name":"a \"]}, b"})");
  EXPECT_EQ(chosen("inner.count,name", kThing), R"({"name":"a \"]}, b","inner":{"count":3}})");
  EXPECT_EQ(chosen("inner.count,inner", kThing), R"({"inner":{"state":"up","count":3}})");
  EXPECT_EQ(chosen("inner,inner.count", kThing), R"({"inner":{"state":"up","count":3}})");
  EXPECT_EQ(chosen("list.state", kThing), R"({"list":[{"state":"x"},{"state":"y"}]})");
  EXPECT_EQ(chosen("values.cpu.load", kThing), R"({"values":{"cpu.load":0.5}})");
  EXPECT_EQ(chosen("raw.a", kThing), R"({"raw":{"a":[1,{"b":null}]}})");
  EXPECT_EQ(chosen("inner.state", R"({"name":"a","inner":null})"), R"({"inner":null})");
}

TEST(FieldChoice, UnknownNamesAreRefusedWithTheKnownOnes) {
  EXPECT_EQ(chosen("nmae", kThing),
            "query parameter fields: 'nmae' is not known, did you mean 'name'?; the fields are "
            "inner, list, name, raw, values");
  EXPECT_EQ(chosen("inner.sate", kThing),
            "query parameter fields: 'inner.sate' is not known, did you mean 'state'?; the fields "
            "of inner are count, state");
  EXPECT_EQ(chosen("name.x", kThing),
            "query parameter fields: 'name.x' is not known: name has no fields");
  for (const char* bad : {"", ",", "name,,inner", ".", "name.", "inner..state"}) {
    EXPECT_FALSE(FieldChoice::parse(bad, known())) << bad;
  }
}

TEST(FieldChoice, BrokenTextStaysInside) {
  for (size_t cut = 0; cut < kThing.size(); ++cut) {
    chosen("inner.count,list.state,raw", kThing.substr(0, cut));
    value_at(kThing.substr(0, cut), "inner.state");
  }
  for (const char* text :
       {"", "{", "[", "{\"", "{\"a", "{\"a\"", "{\"a\":", "\\", "}", "]{", "{{{"}) {
    chosen("inner.count", text);
  }
}

TEST(ValueAt, FindsByPathAlsoUnderDottedNames) {
  EXPECT_EQ(value_at(kThing, "inner.state"), "\"up\"");
  EXPECT_EQ(value_at(kThing, "values.cpu.load"), "0.5");
  EXPECT_EQ(value_at(kThing, "values.nope"), "null");
}

TEST(PageToken, IsRefusedUnlessItIsOfThisList) {
  const std::string token = make_page_token("/api/v1/nodes", "n17");
  EXPECT_EQ(read_page_token("/api/v1/nodes", token).value(), "n17");
  EXPECT_FALSE(read_page_token("/api/v1/groups", token));
  for (const std::string& bad : {std::string("n17"), std::string(), token + "A", token.substr(1),
                                 std::string("AAAA"), std::string("=?")}) {
    EXPECT_FALSE(read_page_token("/api/v1/nodes", bad)) << bad;
  }
}

json::value body_of_answer(const testing::Recorded& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  return parse_json(answer.body).value();
}
std::string names_of(const json::value& list) {
  std::string out;
  for (const auto& item : list.at("items").as_array()) {
    out += std::string(item.at("name").as_string()) + " ";
  }
  return out;
}

TEST(Lists, AreSortedAndPagedWhileItemsComeAndGo) {
  TestMaster master;
  for (int i = 1; i <= 6; ++i) master.add_node(fmt::format("n{}", i));
  master.ask("PATCH", "/api/v1/nodes/n2", R"({"flag":"alert"})");
  master.ask("PATCH", "/api/v1/nodes/n5", R"({"flag":"alert"})");
  const std::string path = "/api/v1/nodes?sort=flag,-name&limit=2&fields=name,flag";
  auto page = body_of_answer(master.get(path));
  EXPECT_EQ(names_of(page), "n5 n2 ");
  EXPECT_EQ(page.at("items").at(0).as_object().size(), 2U);
  const auto next = [&] { return std::string(page.at("next_page").as_string()); };
  page = body_of_answer(master.get(path + "&page=" + next()));
  EXPECT_EQ(names_of(page), "n6 n4 ");
  master.add_node("n7");  // before the place: not shown, and shifts nothing
  page = body_of_answer(master.get(path + "&page=" + next()));
  EXPECT_EQ(names_of(page), "n3 n1 ");
  EXPECT_FALSE(page.as_object().contains("next_page"));
  const auto other =
      master.get("/api/v1/nodes?sort=name&limit=2&page=" + make_page_token("/api/v1/nodes", "n1"));
  EXPECT_EQ(other.status, 400) << "a token is of one order";
  EXPECT_EQ(master.get("/api/v1/nodes?sort=phase.stat").status, 400);
  EXPECT_EQ(master.get("/api/v1/nodes?sort=").status, 400);
}

TEST(Lists, ThatDoNotPageThemselvesArePagedAllTheSame) {
  TestMaster master;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(master.ask("POST", "/api/v1/tokens", R"({"role":"compute"})").status, 201);
  }
  const auto first = body_of_answer(master.ask("GET", "/api/v1/tokens?limit=2"));
  EXPECT_EQ(first.at("items").as_array().size(), 2U);
  const auto rest = body_of_answer(master.ask(
      "GET", "/api/v1/tokens?limit=2&page=" + std::string(first.at("next_page").as_string())));
  EXPECT_EQ(rest.at("items").as_array().size(), 1U);
  EXPECT_FALSE(rest.as_object().contains("next_page"));
  EXPECT_EQ(master.ask("GET", "/api/v1/tokens?limit=0").status, 400);
}

TEST(Reads, AreNarrowedAndNotSentTwice) {
  TestMaster master;
  master.add_node("n1");
  const auto shown = master.get("/api/v1/nodes/n1?fields=phase.state");
  EXPECT_EQ(shown.body, "{\"phase\":{\"state\":\"unknown\"}}\n");
  const auto tag = shown.headers.get("ETag");
  ASSERT_TRUE(tag);
  const auto same =
      master.ask("GET", "/api/v1/nodes/n1", "", {{"If-None-Match", std::string(*tag)}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(master.ask("GET", "/api/v1/nodes/n1", "", {{"If-None-Match", "\"99\""}}).status, 200);
}

}  // namespace
}  // namespace drover::api
