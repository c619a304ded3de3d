// The API's images from request to answer: versions, tags, rollback, what is refused and to whom.
#include "api/test_master.hpp"
#include "base/json_values.hpp"

#include <string>

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

std::string text(const Recorded& answer, std::string_view pointer) {
  const auto body = parse_json(answer.body);
  if (!body) return "<no JSON>";
  boost::system::error_code missing;
  const auto* found = body->find_pointer(pointer, missing);
  if (found == nullptr) return "<none>";
  return found->is_string() ? std::string(found->get_string()) : to_text(*found);
}

std::string hex(char digit) {
  return std::string(64, digit);
}

/// An image whose root is named by that digit.
std::string body(char root, const std::string& name = "rocky9", const std::string& more = "") {
  return fmt::format(
      R"({{"name":"{}","arch":"x86_64","kernel":{{"sha256":"{}","size":9,"version":"6.1"}},
          "initrds":[{{"sha256":"{}","size":5,"what":"drover"}}],
          "root":{{"sha256":"{}","size":7}}{}}})",
      name, hex('a'), hex('b'), hex(root), more);
}

constexpr const char* kImages = "/api/v1/images";

TEST(Images, AnImageGetsVersionsAndGoesBack) {
  TestMaster master;
  const auto made = master.ask("POST", kImages, body('1', "rocky9", R"(,"description":"first")"));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.get("Location"), "/api/v1/images/rocky9");
  const std::string first = text(made, "/digest");
  EXPECT_EQ(first.size(), 64);
  EXPECT_NE(text(made, "/created"), "null");

  const auto next = master.ask("POST", kImages, body('2'));
  ASSERT_EQ(next.status, 200) << next.body;
  EXPECT_EQ(text(next, "/description"), "first");
  EXPECT_EQ(text(next, "/history/0/digest"), first);
  EXPECT_EQ(master.ask("POST", kImages, body('2')).status, 200);

  const auto back = master.ask("POST", "/api/v1/images/rocky9/rollback", "{}");
  ASSERT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(text(back, "/digest"), first);
  const std::string second = text(next, "/digest");
  EXPECT_EQ(text(master.ask("POST", "/api/v1/images/rocky9/rollback",
                            fmt::format(R"({{"version":"{}"}})", second.substr(0, 12))),
                 "/digest"),
            second);
  const auto pruned = master.ask("POST", "/api/v1/images/rocky9/prune", R"({"keep":0})");
  EXPECT_EQ(text(pruned, "/history"), "[]");
  EXPECT_EQ(master.ask("POST", "/api/v1/images/rocky9/rollback", "{}").status, 409);
  EXPECT_EQ(text(master.ask("GET", kImages), "/items/0/name"), "rocky9");
}

TEST(Images, TheDigestIsThatOfTheFiles) {
  TestMaster master;
  const auto made = master.ask("POST", kImages, body('1'));
  const auto wrong =
      master.ask("POST", kImages, body('1', "other", fmt::format(R"(,"digest":"{}")", hex('0'))));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(text(wrong, "/detail").substr(0, 16), "digest: expected");
  // The same files under another name are the same version.
  EXPECT_EQ(text(master.ask("POST", kImages, body('1', "other")), "/digest"),
            text(made, "/digest"));
}

TEST(Images, TagsNameVersions) {
  TestMaster master;
  const auto made = master.ask("POST", kImages, body('1'));
  const auto tagged = master.ask("POST", "/api/v1/images/rocky9/tags", R"({"tag":"prod"})");
  ASSERT_EQ(tagged.status, 200) << tagged.body;
  EXPECT_EQ(text(tagged, "/tags/prod"), text(made, "/digest"));
  EXPECT_EQ(master.ask("POST", kImages, body('2')).status, 200);
  const auto back = master.ask("POST", "/api/v1/images/rocky9/rollback", R"({"version":"prod"})");
  EXPECT_EQ(text(back, "/digest"), text(made, "/digest"));
  // While a profile boots it by its tag, the tag stays; while anything boots it, the image does.
  ASSERT_EQ(
      master
          .ask("POST", "/api/v1/profiles", R"({"name":"gpu","attributes":{"image":"rocky9:prod"}})")
          .status,
      201);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/images/rocky9/tags/prod").status, 409);
  EXPECT_EQ(text(master.ask("DELETE", "/api/v1/images/rocky9"), "/detail"),
            "image 'rocky9' is booted by profile 'gpu'");
  EXPECT_EQ(master.ask("DELETE", "/api/v1/profiles/gpu").status, 204);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/images/rocky9/tags/prod").status, 200);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/images/rocky9/tags/prod").status, 404);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/images/rocky9").status, 204);
  EXPECT_EQ(master.ask("GET", "/api/v1/images/rocky9").status, 404);
}

TEST(Images, BadOnesAreRefusedWithTheField) {
  TestMaster master;
  const auto detail = [&](const std::string& json) {
    const auto answer = master.ask("POST", kImages, json);
    EXPECT_EQ(answer.status, 400) << answer.body;
    return text(answer, "/detail");
  };
  EXPECT_EQ(detail(body('G')).substr(0, 12), "root.sha256:");
  EXPECT_EQ(detail(body('1', "../x")).substr(0, 5), "name:");
  EXPECT_EQ(detail(body('1', "")).substr(0, 5), "name:");
  EXPECT_EQ(detail(body('1', std::string(3000, 'x'))).substr(0, 5), "name:");
  EXPECT_NE(detail(R"({"name":"x"})"), "");
  EXPECT_EQ(master.ask("POST", kImages, body('1')).status, 201);
  EXPECT_EQ(master.ask("POST", "/api/v1/images/rocky9/tags", R"({"tag":"a b"})").status, 400);
  EXPECT_EQ(master
                .ask("POST", "/api/v1/images/rocky9/rollback",
                     fmt::format(R"({{"version":"{}"}})", std::string(3000, 'x')))
                .status,
            400);
  EXPECT_EQ(master.ask("POST", "/api/v1/images/rocky9/rollback", R"({"version":"nosuch"})").status,
            404);
  EXPECT_EQ(master.ask("PATCH", "/api/v1/images/nosuch", R"({"description":"x"})").status, 404);
}

TEST(Images, WhoMayOnlyLookCannotChangeThem) {
  TestMaster master;
  ASSERT_EQ(master.ask("POST", kImages, body('1')).status, 201);
  for (const char* role : {"viewer", "user"}) {
    EXPECT_EQ(master.ask("POST", kImages, body('2'), {}, person(role)).status, 403) << role;
    EXPECT_EQ(master.ask("DELETE", "/api/v1/images/rocky9", "", {}, person(role)).status, 403);
    EXPECT_EQ(master.ask("POST", "/api/v1/images/rocky9/rollback", "{}", {}, person(role)).status,
              403);
  }
  EXPECT_EQ(master.ask("GET", kImages, "", {}, person("viewer")).status, 200);
  EXPECT_EQ(master.ask("POST", kImages, body('2'), {}, person("operator")).status, 200);
}

TEST(Images, AChangeIsTriedRepeatedAndGuarded) {
  TestMaster master;
  EXPECT_EQ(master.ask("POST", "/api/v1/images?dry_run=true", body('1')).status, 201);
  EXPECT_EQ(master.ask("GET", "/api/v1/images/rocky9").status, 404);
  const net::HttpHeaders key{{"Idempotency-Key", "k1"}};
  ASSERT_EQ(master.ask("POST", kImages, body('1'), key).status, 201);
  EXPECT_EQ(master.ask("POST", kImages, body('1'), key).status, 201);
  EXPECT_EQ(master.ask("POST", kImages, body('2'), key).status, 409);
  const auto shown = master.ask("GET", "/api/v1/images/rocky9");
  const std::string etag(shown.headers.get("ETag").value_or(""));
  EXPECT_EQ(
      master
          .ask("PATCH", "/api/v1/images/rocky9", R"({"description":"x"})", {{"If-Match", "\"0\""}})
          .status,
      412);
  const auto changed = master.ask("PATCH", "/api/v1/images/rocky9?why=test",
                                  R"({"description":"x"})", {{"If-Match", etag}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(text(changed, "/description"), "x");
}

}  // namespace
}  // namespace drover::api
