// Noderange: a table of ranges against a small cluster, folding, places of mistakes, hostile input,
// and the laws of sets as properties.
#include "base/noderange.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace drover {
namespace {

using Names = std::vector<std::string>;

Names expand(std::string_view range) {
  auto result = expand_names(range);
  EXPECT_TRUE(result) << range << ": " << result.error().text();
  return result ? *std::move(result) : Names{};
}

/// The inventory that reference results were taken on, and a few fields.
class SmallCluster final : public NodeNames {
 public:
  SmallCluster() {
    group("rack1", "n[1-4]");
    group("rack2", "n[5-8]");
    group("compute", "n[1-8]");
    group("big", "node[001-012]");
    group("short", "node[9-21]");
    group("row1", "r1u[1-3]");
    group("row2", "r2u[1-3]");
    group("row3", "r3u[1-3]");
    group("empty", "");
    group("1738", "n[1-2]");
    group("n8", "n1");  // a group with a node's name: the node wins
    nodes("cn[1-3]-ib,login[1-2].example.com,sn[1-2],storage,rack9,node-a-[01-03]");
    aliases_["x1000c0s0b0n0"] = "n1";
    for (const std::string& name : expand("n[1-8]")) attributes_["mgt"][name] = "ipmi";
    for (const std::string& name : expand("n[1-4]")) attributes_["location.rack"][name] = "1";
    for (int i = 1; i <= 8; ++i) {
      attributes_["gpu.count"][fmt::format("n{}", i)] = std::to_string(i * 2);
    }
    attributes_["arch"]["storage"] = "aarch64, big";
  }

  [[nodiscard]] Names all() const override { return {nodes_.begin(), nodes_.end()}; }
  [[nodiscard]] bool is_node(std::string_view name) const override { return nodes_.contains(name); }
  [[nodiscard]] std::optional<std::string> node_of_alias(std::string_view alias) const override {
    const auto it = aliases_.find(alias);
    return it == aliases_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] std::optional<Names> members(std::string_view name) const override {
    const auto it = groups_.find(name);
    return it == groups_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] bool has_attribute(std::string_view name) const override {
    return attributes_.contains(name);
  }
  [[nodiscard]] std::optional<std::string> attribute(std::string_view node,
                                                     std::string_view name) const override {
    const auto& values = attributes_.find(name)->second;
    const auto it = values.find(node);
    return it == values.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  void nodes(std::string_view range) {
    for (std::string& name : expand(range)) nodes_.insert(std::move(name));
  }
  void group(const std::string& name, std::string_view range) {
    nodes(range);
    groups_[name] = expand(range);
  }

  std::set<std::string, std::less<>> nodes_;
  std::map<std::string, std::string, std::less<>> aliases_;
  std::map<std::string, Names, std::less<>> groups_;
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> attributes_;
};

struct Case {
  std::string_view range;
  std::string_view folded;  ///< "!text": an error that contains the text
};

class NoderangeTable : public testing::TestWithParam<Case> {};

TEST_P(NoderangeTable, GivesTheNodes) {
  const SmallCluster cluster;
  const auto result = evaluate(GetParam().range, cluster);
  if (GetParam().folded.starts_with('!')) {
    ASSERT_FALSE(result) << fold_names(*result);
    EXPECT_NE(result.error().text().find(GetParam().folded.substr(1)), std::string::npos)
        << result.error().text();
    return;
  }
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(fold_names(*result), GetParam().folded);
}

// Rows on which xCAT and Confluent agree, then the choices made where they differ, then mistakes.
const Case kTable[] = {
    {"n1-n3", "n[1-3]"},
    {"n1:n3", "n[1-3]"},
    {"n[1-3]", "n[1-3]"},
    {"n[1:3]", "n[1-3]"},
    {"n[1,3,5]", "n[1,3,5]"},
    {"n[1-2,5-6]", "n[1-2,5-6]"},
    {"n1+2", "n[1-3]"},
    {"node001+2", "node[001-003]"},
    {"r[1-2]u[1-3]", "r[1-2]u[1-3]"},
    {"r[1-2,3]u2", "r[1-3]u2"},
    {"r1u1-r2u3", "r[1-2]u[1-3]"},
    {"rack1-rack2", "n[1-8]"},
    {"rack[1-2]", "n[1-8]"},
    {"row1-row2", "r[1-2]u[1-3]"},
    {"rack1+1", "n[1-8]"},
    {"compute@rack1", "n[1-4]"},
    {"rack[1-2]@n[3-6]", "n[3-6]"},
    {"compute&rack1", "n[1-4]"},
    {"compute,-rack1", "n[5-8]"},
    {"compute!rack1", "n[5-8]"},
    {"compute,-n2-n3", "n[1,4-8]"},
    {"compute,-(rack1@compute)", "n[5-8]"},
    {"(rack1,rack2)@n3-n5", "n[3-5]"},
    {"compute,-(rack1),n1", "n[1,5-8]"},
    {"node9-node12", "node[9-12]"},
    {"node[9-12]", "node[9-12]"},
    {"cn1-ib-cn3-ib", "cn[1-3]-ib"},
    {"cn[1-3]-ib", "cn[1-3]-ib"},
    {"node-a-01-node-a-03", "node-a-[01-03]"},
    {"node-a-02", "node-a-02"},
    {"n1,,n2", "n[1-2]"},
    {",n1,", "n1"},
    {"n1,n3,n5 , n7,n8", "n[1,3,5,7-8]"},
    {"(n1,n2),n4,n5", "n[1-2,4-5]"},
    {"n1,n2,n3&n2,n5", "n[1-2,5]"},
    {"n1,n2,-n2,n3,n4", "n[1,3-4]"},
    {"n1,n2!n2,n3", "n[1,3]"},
    {"(n1,n2)&(n2,n3)", "n2"},
    {"n1,n2-n4,n6", "n[1-4,6]"},
    {"empty", ""},
    {"compute,-empty", "n[1-8]"},
    {"login1.example.com-login2.example.com", "login[1-2].example.com"},
    {"login[1-2].example.com", "login[1-2].example.com"},
    {"location.rack=1", "n[1-4]"},
    {"compute,-(gpu.count=2,gpu.count=4)", "n[3-8]"},
    {"n[1:8:2]", "n[1,3,5,7]"},
    {"n[1-8/3]", "n[1,4,7]"},
    {"n[1..3]", "n[1-3]"},
    {"n8", "n8"},
    {"@n8", "n1"},
    {"1738", "n[1-2]"},
    {"@1738,n3", "n[1-3]"},
    {"@rack[1-2]", "n[1-8]"},
    {"compute@@rack2", "n[5-8]"},
    {"x1000c0s0b0n0", "n1"},
    {"n1-n4,-n2,n2", "n[1-4]"},
    {"n8,rack1@n1-n2", "n[1-2,8]"},
    {"rack1,rack2@n5", "n[1-5]"},
    {"compute,-rack1@n5", "n[1-8]"},
    {"n1-n8,-n1-n3@n2", "n[1,3-8]"},
    {"rack1^n[3-6]", "n[1-2,5-6]"},
    {"compute!n1!n2,n1", "n[1,3-8]"},
    {"~^n[12]$", "n[1-2]"},
    {"~n1", "cn1-ib,login1.example.com,n1,sn1"},
    {"~^(cn|sn)1", "cn1-ib,sn1"},
    {"~^sn,n1", "n1,sn[1-2]"},
    {"~^sn^sn2", "sn1"},
    {"~^nothing", ""},
    {"mgt==ipmi@rack2", "n[5-8]"},
    {"compute@mgt!~ipmi", ""},
    {"location.rack=~^[12]$", "n[1-4]"},
    {"location.rack=",
     "cn[1-3]-ib,login[1-2].example.com,n[5-8],node-a-[01-03],"
     "node[001-012],node[9-21],r[1-3]u[1-3],rack9,sn[1-2],storage"},
    {"gpu.count>=14", "n[7-8]"},
    {"gpu.count>9@gpu.count<13", "n[5-6]"},
    {"compute@gpu.count!=2", "n[2-8]"},
    {"gpu.count<=2", "n1"},
    {"arch=\"aarch64, big\"", "storage"},
    {"arch=~\"64, b\"", "storage"},
    {"*@n1", "n1"},
    {"\"n1\",\"storage\"", "n1,storage"},
    {" n1 , n2 ", "n[1-2]"},
    {"((n1,(n2)))", "n[1-2]"},

    {"", "!the noderange is empty"},
    {" , ", "!the noderange is empty"},
    {"-rack1,compute", "!column 1"},
    {"node010+3", "!unknown name: node013"},
    {"node1-node3", "!unknown names: node[1-3]"},
    {"compute,-nosuch", "!unknown name: nosuch"},
    {"nosuch,n1,other[1-2],@gone", "!unknown names: \"@gone\",nosuch,other[1-2]"},
    {"n3-n1", "!the span is reversed: 3 is after 1"},
    {"n[3-1]", "!column 3"},
    {"n03-n01", "!reversed"},
    {"n[01-016]", "!padded differently"},
    {"n1 n2", "!column 4"},
    {"(n1", "!column 1, at \"(n1\": this parenthesis is not closed"},
    {"n1)", "!column 3, at \")\": this parenthesis closes nothing"},
    {"n[1-3", "!column 2, at \"[1-3\": this bracket is not closed"},
    {"n1-3]", "!column 5"},
    {"n[]", "!expected a number in the bracket"},
    {"n[a-b]", "!column 3"},
    {"n[1-3,-2]", "!column 7"},
    {"n[1-3/0]", "!a step of 0"},
    {"n1,-", "!at the end"},
    {"n1@", "!at the end"},
    {"@", "!at the end"},
    {"()", "!a range is missing"},
    {"n1!!n2", "!a name is missing before !"},
    {"n1,&n2", "!column 4"},
    {"'n1'", "!' cannot stand here"},
    {"n\xc3\xa9", "!must be quoted"},
    {"\"n1", "!quotation is not closed"},
    {"n1:r2", "!numbers alone"},
    {"n1+x", "!expected a number of further nodes"},
    {"rack+1", "!must have a number"},
    {"n[1-2]+1", "!beside brackets"},
    {"n[1-2]=3", "!left side of a comparison"},
    {"~n(1", "!parenthesis is not closed"},
    {"~", "!a regular expression is missing"},
    {"~*", "!nothing to repeat"},
    {"nofield=1", "!no attribute \"nofield\""},
    {"n[1-1000001]", "!more than 1,000,000 names"},
    {"n[1-1000]x[1-1000]y[1-1000]z[1-999999999999999999]", "!more than 1,000,000 names"},
    {"n[1-1234567890123456789]", "!more than 18 digits"},
};

INSTANTIATE_TEST_SUITE_P(Golden, NoderangeTable, testing::ValuesIn(kTable));

TEST(Noderange, ResultsAreInNaturalOrder) {
  EXPECT_EQ(expand("n10,n9,b2,n1,n9"), (Names{"b2", "n1", "n9", "n10"}));
}

TEST(Noderange, AFailureIsWholeAndHasItsCode) {
  const SmallCluster cluster;
  EXPECT_EQ(evaluate("n1,nosuch", cluster).error().code, Code::not_found);
  EXPECT_EQ(evaluate("n1,(", cluster).error().code, Code::invalid_argument);
  EXPECT_EQ(evaluate("n[1-9999999]", cluster).error().code, Code::too_large);
  EXPECT_FALSE(evaluate("n1,nosuch", cluster).error().next.empty());
}

TEST(Noderange, WithoutAClusterGroupsAndFieldsAreErrors) {
  for (const std::string_view range : {"@g", "*", "~x", "a=1", "@g[1-2]"}) {
    const auto result = expand_names(range);
    ASSERT_FALSE(result) << range;
    EXPECT_NE(result.error().message.find("need a cluster"), std::string::npos);
  }
  EXPECT_TRUE(expand("").empty());
  EXPECT_EQ(count_names("r[1-10]n[1-10],-r1n1").value(), 99U);
}

TEST(Noderange, SaysWhatItRefersTo) {
  const auto names = names_in("n1,n2,(n1,n3),@g,@h[1-2],\"odd name\",rack=1,m[1-2]");
  ASSERT_TRUE(names);
  EXPECT_EQ(names->words, (Names{"n1", "n2", "n3", "odd name"}));
  EXPECT_EQ(names->groups, (Names{"g", "h1", "h2"}));
  EXPECT_EQ(names->attributes, Names{"rack"});
}

TEST(Noderange, FindsTheMistakeForACaret) {
  EXPECT_FALSE(find_mistake("n[1-3]@rack1"));
  const auto mistake = find_mistake("n[1-3],m[2");
  ASSERT_TRUE(mistake);
  EXPECT_EQ(mistake->offset, 8U);
  EXPECT_EQ(mistake->what, "this bracket is not closed");
}

TEST(Noderange, FoldsEveryShape) {
  const std::pair<Names, std::string_view> cases[] = {
      {{}, ""},
      {{"n1"}, "n1"},
      {{"n2", "n1", "n2"}, "n[1-2]"},
      {{"n1", "n01"}, "n01,n1"},
      {{"n9", "n10"}, "n[9-10]"},
      {{"n09", "n10", "n11"}, "n[09-11]"},
      {{"n099", "n100", "n1000"}, "n[099-100,1000]"},
      {{"n5", "n05", "n50"}, "n[05,50],n5"},
      {{"storage", "login"}, "login,storage"},
      {{"r1u1", "r1u2", "r2u1", "r2u2"}, "r[1-2]u[1-2]"},
      {{"r1u1", "r2u2"}, "r1u1,r2u2"},
      {{"r1u1", "r1u2", "r2u1"}, "r1u[1-2],r2u1"},
      {{"x1000c0s0b0n0", "x1000c0s1b0n0"}, "x1000c0s[0-1]b0n0"},
      {{"a1-a3"}, "\"a1-a3\""},
      {{"1-3"}, "\"1-3\""},
      {{"9999999999999999992-99999999999999999900"},
       "\"9999999999999999992-99999999999999999900\""},
      {{"has space", "a,b", "", "-x", "q\"\\"}, "\"\",\"-x\",\"a,b\",\"has space\",\"q\\\"\\\\\""},
      {{"n1234567890123456789"}, "n1234567890123456789"},
      {{"10", "9", "11"}, "[9-11]"},
  };
  for (const auto& [names, folded] : cases) EXPECT_EQ(fold_names(names), folded);
  EXPECT_EQ(fold_names(expand("n[1-9/2],n[20-22]"), {.steps = true}), "n[1-9/2,20-22]");
}

TEST(Noderange, HostileInputIsRefusedQuickly) {
  const std::string deep(100'000, '(');
  EXPECT_NE(expand_names(deep).error().text().find("nest deeper"), std::string::npos);
  EXPECT_EQ(expand_names(std::string(kMaxRangeText + 1, 'a')).error().code, Code::too_large);
  std::string chain = "n[1-500000]";
  for (int i = 0; i < 100'000; ++i) chain += ",-a,b";
  EXPECT_EQ(expand_names(chain).error().code, Code::too_large);
  std::string heavy;
  for (int i = 0; i < 1000; ++i) heavy += "n[1-900000]&";
  EXPECT_EQ(expand_names(heavy + "n1").error().code, Code::too_large);
  EXPECT_NE(expand_names(std::string(300, 'a') + "[1-9]").error().text().find("255"),
            std::string::npos);
  EXPECT_FALSE(expand_names("~" + std::string(1000, '[')));
}

TEST(Noderange, LargeSetsTakeMilliseconds) {
  // The budget is 50 ms on a quiet machine; the bound here only catches a change of complexity.
  const auto timed = [](auto&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  };
  Names names;
  const double expanding = timed([&] { names = expand("rack[001-100]n[0001-1000]"); });
  EXPECT_EQ(names.size(), 100'000U);
  std::string folded;
  const double folding = timed([&] { folded = fold_names(names); });
  EXPECT_EQ(folded, "rack[001-100]n[0001-1000]");
  Names flat;
  const double expanding_flat = timed([&] { flat = expand("n[1-100000]"); });
  const double folding_flat = timed([&] { EXPECT_EQ(fold_names(flat), "n[1-100000]"); });
  std::string listed;
  for (size_t i = 0; i < flat.size(); ++i) {
    if (i > 0) listed.push_back(',');
    listed += flat[i * 7919 % flat.size()];
  }
  const double expanding_list = timed([&] { EXPECT_EQ(expand(listed), flat); });
  RecordProperty("milliseconds",
                 fmt::format("{:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", expanding, folding,
                             expanding_flat, folding_flat, expanding_list));
  fmt::print(
      "100,000 names in ms: expand 2-D {:.1f}, fold 2-D {:.1f}, expand {:.1f}, fold {:.1f}, "
      "expand a shuffled list {:.1f}\n",
      expanding, folding, expanding_flat, folding_flat, expanding_list);
  EXPECT_LT(std::max({expanding, folding, expanding_flat, folding_flat, expanding_list}), 2000);
}

Names sorted(Names names) {
  std::sort(names.begin(), names.end(), NaturalLess{});
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// Names that collide often: few letters, short numbers, odd padding, dashes, and now and then any
/// bytes.
rc::Gen<std::string> any_name() {
  const auto part =
      rc::gen::element<std::string>("n", "rack", "0", "00", "1", "01", "2", "9", "10", "099", "100",
                                    "-", ".", "-n", "_", "999999999999999999");
  const auto tidy =
      rc::gen::map(rc::gen::resize(6, rc::gen::container<std::vector<std::string>>(part)),
                   [](const std::vector<std::string>& parts) {
                     std::string out;
                     for (const auto& text : parts) out += text;
                     return out;
                   });
  const auto wild =
      rc::gen::map(rc::gen::resize(8, rc::gen::container<std::string>(
                                          rc::gen::distinctFrom(rc::gen::arbitrary<char>(), '\0'))),
                   [](std::string text) { return text; });
  return rc::gen::weightedOneOf<std::string>({{9, tidy}, {1, wild}});
}
rc::Gen<Names> any_names() {
  return rc::gen::container<Names>(any_name());
}

TEST(NoderangeProperty, FoldThenExpandIsIdentity) {
  EXPECT_TRUE(rc::check("expand(fold(x)) == sorted unique x", [] {
    const Names names = *any_names();
    for (const bool steps : {false, true}) {
      const std::string folded = fold_names(names, {.steps = steps});
      const auto back = expand_names(folded);
      RC_ASSERT(back.has_value());
      RC_ASSERT(*back == sorted(names));
      RC_ASSERT(fold_names(*back, {.steps = steps}) == folded);
    }
  }));
}

TEST(NoderangeProperty, LawsOfSets) {
  EXPECT_TRUE(rc::check("algebra", [] {
    const auto some = rc::gen::map(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 30)),
                                   [](const std::vector<int>& numbers) {
                                     Names out{"always1"};
                                     for (const int i : numbers)
                                       out.push_back(fmt::format("n{}", i));
                                     return "(" + fold_names(out) + ")";
                                   });
    const std::string a = *some;
    const std::string b = *some;
    const std::string c = *some;
    const auto same = [](const std::string& left, const std::string& right) {
      return expand_names(left).value() == expand_names(right).value();
    };
    RC_ASSERT(same(a + "," + b, b + "," + a));
    RC_ASSERT(same(a + "@" + b, b + "&" + a));
    RC_ASSERT(same(a + "^" + b, b + "^" + a));
    RC_ASSERT(same("(" + a + "," + b + ")," + c, a + ",(" + b + "," + c + ")"));
    RC_ASSERT(same(a + "@(" + b + "," + c + ")", a + "@" + b + "," + a + "@" + c));
    RC_ASSERT(same(a + ",-(" + b + "," + c + ")", a + ",-" + b + ",-" + c));
    RC_ASSERT(same(a + ",-" + b, a + "!" + b));
    RC_ASSERT(same(a + "^" + b, "(" + a + "," + b + "),-(" + a + "@" + b + ")"));
    RC_ASSERT(same(a + "," + a + "@" + b, a));
    RC_ASSERT(same(a + "@(" + a + "," + b + ")", a));
  }));
}

TEST(NoderangeProperty, AnyTextIsAnAnswerOrAnErrorWithItsPlace) {
  const SmallCluster cluster;
  EXPECT_TRUE(rc::check("never a crash", [&] {
    const auto piece = rc::gen::element<std::string>(
        "n", "1", "-", "[", "]", "(", ")", ",", ",-", "!", "^", "@", "&", "~", "*", "=", "=~", "\"",
        "\\", "/", ":", "+", " ", "rack1", "n1", "{2,3}", "..", "<", ">=", "\xff", "|", "mgt");
    const auto pieces = *rc::gen::container<std::vector<std::string>>(piece);
    const std::string text = fmt::format("{}", fmt::join(pieces, ""));
    const auto result = evaluate(text, cluster);
    if (!result) RC_ASSERT(!result.error().message.empty());
    if (result) RC_ASSERT(sorted(*result) == *result);
    if (const auto mistake = find_mistake(text)) RC_ASSERT(mistake->offset <= text.size());
  }));
}

}  // namespace
}  // namespace drover
