// The reason of a change: one rule for all requests that take one.
#include "api/test_master.hpp"
#include "base/json_values.hpp"
#include "store/reason.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::Recorded;
using testing::TestMaster;

std::string member(const Recorded& answer, std::string_view name) {
  const auto body = parse_json(answer.body);
  const auto* found = body && body->is_object() ? body->get_object().if_contains(name) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : answer.body;
}

struct Asked {
  const char* method;
  std::string target;
  std::string body;
};

/// Every request that takes a reason, with this one.
std::vector<Asked> all_that_take(const std::string& why) {
  const std::string query = "?why=" + why;
  const std::string more = "&why=" + why;
  const std::string member = fmt::format(R"("why":"{}")", why);
  const std::string alone = "{" + member + "}";
  const std::string grants =
      fmt::format(R"({{"grants":[{{"principal":"user:a","role":"viewer",{}}}]}})", member);
  return {{"POST", "/nodes", R"({"name":"n9",)" + member + "}"},
          {"POST", "/nodes?nodes=n[8-9]", alone},
          {"PATCH", "/nodes/n1", R"({"locked":true,)" + member + "}"},
          {"PATCH", "/nodes?nodes=n1", R"({"locked":true,)" + member + "}"},
          {"DELETE", "/nodes/n1" + query, ""},
          {"DELETE", "/nodes?nodes=n1" + more, ""},
          {"POST", "/nodes/n1/rename", R"({"to":"n9",)" + member + "}"},
          {"POST", "/groups" + query, R"({"name":"h"})"},
          {"PUT", "/groups/g" + query, R"({"nodes":"n1"})"},
          {"PATCH", "/groups/g" + query, R"({"priority":7})"},
          {"DELETE", "/groups/g" + query, ""},
          {"POST", "/groups/g/members", R"({"add":"n1",)" + member + "}"},
          {"POST", "/groups/g/rename", R"({"to":"h",)" + member + "}"},
          {"POST", "/profiles/p/rename", R"({"to":"q",)" + member + "}"},
          {"POST", "/profiles" + query, R"({"name":"q"})"},
          {"PUT", "/profiles/p" + query, "{}"},
          {"PATCH", "/profiles/p" + query, R"({"description":"d"})"},
          {"DELETE", "/profiles/p" + query, ""},
          {"POST", "/networks" + query, R"({"name":"a","prefix":"10.9.0.0/24"})"},
          {"PUT", "/networks/a" + query, R"({"prefix":"10.9.0.0/24"})"},
          {"PATCH", "/networks/a" + query, "{}"},
          {"DELETE", "/networks/a" + query, ""},
          {"POST", "/images" + query, "{}"},
          {"PATCH", "/images/i" + query, "{}"},
          {"POST", "/images/i/tags" + query, R"({"version":"i","tag":"t"})"},
          {"DELETE", "/images/i/tags/t" + query, ""},
          {"POST", "/images/i/rollback" + query, R"({"version":""})"},
          {"POST", "/images/i/prune" + query, R"({"keep":1})"},
          {"DELETE", "/images/i" + query, ""},
          {"POST", "/boot-next?nodes=n1", R"({"mode":"lean",)" + member + "}"},
          {"DELETE", "/boot-next?nodes=n1" + more, ""},
          {"PUT", "/settings/tree.hold", R"({"value":"5s",)" + member + "}"},
          {"PATCH", "/settings", R"({"set":{"tree.hold":"5s"},)" + member + "}"},
          {"DELETE", "/settings/tree.hold" + query, ""},
          {"PUT", "/grants" + query, R"({"grants":[]})"},
          {"PUT", "/grants", grants},
          {"POST", "/changes/1/revert", alone},
          {"POST", "/apply", R"({"document":{},)" + member + "}"},
          {"POST", "/certificates/revoke", R"({"names":"n1",)" + member + "}"},
          {"DELETE", "/credentials/0000000000000000" + query, ""},
          {"DELETE", "/operations/m1-1" + query, ""}};
}

class Why : public ::testing::Test {
 protected:
  Why() {
    master_.add_node("n1");
    EXPECT_EQ(master_.ask("POST", "/api/v1/groups", R"({"name":"g"})").status, 201);
    EXPECT_EQ(master_.ask("POST", "/api/v1/profiles", R"({"name":"p"})").status, 201);
  }
  Recorded ask(const Asked& asked) {
    net::HttpHeaders headers;
    if (asked.method == std::string_view("PUT")) headers.add("If-Match", "*");
    return master_.ask(asked.method, "/api/v1" + asked.target, asked.body, headers);
  }
  TestMaster master_;
};

TEST_F(Why, MoreThanTheRuleAllowsIsRefusedEverywhereAndNothingIsChanged) {
  const uint64_t before = master_.store->head();
  for (const Asked& asked : all_that_take(std::string(store::kMaxGivenWhy + 1, 'w'))) {
    const Recorded refused = ask(asked);
    EXPECT_EQ(refused.status, 400) << asked.method << ' ' << asked.target.substr(0, 40);
    EXPECT_NE(member(refused, "detail").find("why: it has 1025 bytes, and at most 1024 are taken"),
              std::string::npos)
        << asked.method << ' ' << asked.target.substr(0, 40) << ' ' << refused.body;
  }
  EXPECT_EQ(master_.store->head(), before);
}

TEST_F(Why, TheLongestThatIsTakenStaysWholeBesideWhatTheMasterSays) {
  const std::string longest(store::kMaxGivenWhy, 'w');
  const Recorded renamed = master_.ask("POST", "/api/v1/nodes/n1/rename",
                                       fmt::format(R"({{"to":"m1","why":"{}"}})", longest));
  ASSERT_EQ(renamed.status, 200) << renamed.body;
  const Recorded log = master_.get("/api/v1/changes?limit=1&order=newest");
  EXPECT_NE(log.body.find(fmt::format(R"("why":"{}")", longest)), std::string::npos) << log.body;
}

}  // namespace
}  // namespace drover::api
