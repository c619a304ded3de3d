// Groups and profiles get other names, and their lists are edited, from request to answer.
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
  boost::system::error_code missing;
  const auto* found = body ? body->find_pointer(pointer, missing) : nullptr;
  if (found == nullptr) return "<none>";
  return found->is_string() ? std::string(found->get_string()) : to_text(*found);
}

class Renames : public ::testing::Test {
 protected:
  Renames() {
    for (const char* name : {"n1", "n2", "n3"}) master.add_node(name);
    good("POST", "/profiles", R"({"name":"gpu","attributes":{"rack":"7"}})", 201);
    good("POST", "/profiles", R"({"name":"big","inherits":["gpu"]})", 201);
    good("POST", "/groups", R"({"name":"g","nodes":"n[1-2]","profiles":["gpu"]})", 201);
    good("POST", "/groups", R"({"name":"d","range":"(@g&n[1-9]),-n2"})", 201);
    good("PATCH", "/nodes/n3", R"({"spec":{"profiles":["gpu"]}})", 200);
  }
  void good(const char* method, const std::string& target, const std::string& body, int status) {
    const Recorded done = master.ask(method, "/api/v1" + target, body);
    EXPECT_EQ(done.status, status) << target << ' ' << done.body;
  }
  Recorded get(const std::string& target) { return master.get("/api/v1" + target); }
  Recorded rename(const std::string& what, const std::string& to, const std::string& query = "") {
    return master.ask("POST", "/api/v1/" + what + "/rename" + query,
                      fmt::format(R"({{"to":"{}","why":"clearer"}})", to), {}, person("operator"));
  }
  TestMaster master;
};

TEST_F(Renames, AGroupTakesRangesGrantsAndLimitsAlong) {
  good("PUT", "/grants",
       R"({"grants":[{"principal":"user:bob","role":"operator","nodes":"@g,n3"},
                     {"principal":"user:eve","role":"viewer"}]})",
       200);
  good("POST", "/credentials", R"({"name":"ci","role":"operator","nodes":"@g"})", 201);
  const uint64_t before = master.store->head();
  const Recorded tried = rename("groups/g", "h", "?dry_run=true");
  EXPECT_EQ(tried.status, 200) << tried.body;
  EXPECT_EQ(master.store->head(), before) << "only tried";
  const Recorded done = rename("groups/g", "h");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(text(done, "/name"), "h");
  EXPECT_EQ(text(done, "/nodes"), "n[1-2]");
  EXPECT_EQ(get("/groups/g").status, 404);
  EXPECT_EQ(text(get("/groups/d"), "/range"), "(@h&n[1-9]),-n2");
  EXPECT_EQ(text(get("/groups/d"), "/members"), "n1");
  EXPECT_EQ(text(master.ask("GET", "/api/v1/grants"), "/grants/0/nodes"), "@h,n3");
  EXPECT_EQ(text(master.ask("GET", "/api/v1/credentials"), "/items/0/nodes"), "@h");
  const Recorded log = get("/changes?kind=group&order=newest&limit=1");
  EXPECT_EQ(text(log, "/items/0/why"), "renamed from g to h: clearer");
}

TEST_F(Renames, AGroupIsNotRenamedWhereItsUseCannotBeRewritten) {
  good("PUT", "/grants", R"({"grants":[{"principal":"user:bob","role":"operator","nodes":"g"}]})",
       200);
  const uint64_t before = master.store->head();
  const Recorded refused = rename("groups/g", "h");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(text(refused, "/detail"),
            "the grant for user:bob: 'g' names the group 'g' in a way that cannot be rewritten "
            "for certain");
  good("PUT", "/grants", R"({"grants":[]})", 200);
  good("PATCH", "/groups/d", R"({"range":"@g,-~n2"})", 200);
  EXPECT_EQ(text(rename("groups/g", "h"), "/detail"),
            "the range of group 'd': '@g,-~n2' names the group 'g' in a way that cannot be "
            "rewritten for certain");
  EXPECT_EQ(get("/groups/g").status, 200);
  EXPECT_EQ(master.store->head(), before + 2) << "no refused rename left anything";
  EXPECT_EQ(rename("groups/g", "d").status, 409) << "the name is taken";
  EXPECT_EQ(rename("groups/g", "all").status, 400) << "a group that is always there";
  EXPECT_EQ(rename("groups/g", "no good").status, 400);
  EXPECT_EQ(rename("groups/missing", "h").status, 404);
  EXPECT_EQ(
      master.ask("POST", "/api/v1/groups/g/rename", R"({"to":"h"})", {}, person("viewer")).status,
      403);
}

TEST_F(Renames, AProfileIsRenamedWhereverItIsTaken) {
  good("POST", "/boot-next?nodes=n1", R"({"profile":"gpu"})", 200);
  good("POST", "/boot-next?nodes=n2", R"({"profile":"big"})", 200);
  const Recorded done = rename("profiles/gpu", "accel");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(get("/profiles/gpu").status, 404);
  EXPECT_EQ(text(get("/profiles/big"), "/inherits"), R"(["accel"])");
  EXPECT_EQ(text(get("/groups/g"), "/profiles"), R"(["accel"])");
  EXPECT_EQ(text(get("/nodes/n3"), "/spec/profiles"), R"(["accel"])");
  const Recorded next = get("/boot-next");
  EXPECT_EQ(text(next, "/items/0/profile"), "accel");
  EXPECT_EQ(text(next, "/items/1/profile"), "big");
  EXPECT_EQ(rename("profiles/accel", "big").status, 409);
  EXPECT_EQ(rename("profiles/accel", "default").status, 409);
  EXPECT_EQ(rename("profiles/missing", "x").status, 404);
  // The new name may be taken in turn, and goes only when nobody has it.
  EXPECT_EQ(master.ask("DELETE", "/api/v1/profiles/accel").status, 409);
}

TEST_F(Renames, ListsOfGroupsAndProfilesAreEditedWhereTheyAreKept) {
  const auto patch = [&](const std::string& what, const std::string& edits) {
    return master.ask("PATCH", "/api/v1/" + what, R"({"edits":[)" + edits + "]}");
  };
  EXPECT_EQ(text(patch("groups/g", R"({"field":"profiles","values":["big"]})"), "/profiles"),
            R"(["gpu","big"])");
  EXPECT_EQ(text(patch("groups/g", R"({"field":"profiles","how":"remove","values":["gpu"]})"),
                 "/profiles"),
            R"(["big"])");
  EXPECT_EQ(text(patch("profiles/big", R"({"field":"inherits","how":"replace","values":[]})"),
                 "/inherits"),
            "[]");
  EXPECT_EQ(text(patch("profiles/big", R"({"field":"profiles","values":["gpu"]})"), "/detail"),
            "edits[0].field: 'profiles' is not valid: expected profiles of a group, or inherits "
            "of a profile");
  EXPECT_EQ(patch("groups/g", R"({"field":"profiles","values":["missing"]})").status, 400);
  EXPECT_EQ(patch("groups/g", R"({"field":"profiles","how":"x"})").status, 400);
  EXPECT_EQ(patch("groups/g", "7").status, 400);
}

}  // namespace
}  // namespace drover::api
