// Undoing changes and taking backups, through the API.
#include "api/test_master.hpp"
#include "auth/backup_file.hpp"
#include "base/json_values.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <map>

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

json::value parsed(const Recorded& answer) {
  return parse_json(answer.body).value();
}

class Revert : public ::testing::Test {
 protected:
  Revert() { master_.add_node("n1"); }  // change 1
  Recorded patch(const std::string& body, const std::string& who = "alice") {
    return master_.ask("PATCH", "/api/v1/nodes/n1", body, {}, person("operator", who));
  }
  Recorded revert(uint64_t sequence, const std::string& body = "{}",
                  const std::string& query = "") {
    return master_.ask("POST", fmt::format("/api/v1/changes/{}/revert{}", sequence, query), body,
                       {}, person("operator", "carol"));
  }
  json::value node(const std::string& name = "n1") {
    return parsed(master_.get("/api/v1/nodes/" + name));
  }
  TestMaster master_;
};

TEST_F(Revert, TakesBackWhatAChangeDidAndNothingElse) {
  ASSERT_EQ(patch(R"({"service":"in_service"})").status, 200);                            // 2
  ASSERT_EQ(patch(R"({"service":"maintenance","locked":true,"why":"go"})").status, 200);  // 3
  ASSERT_EQ(patch(R"({"flag":"warning"})").status, 200);                                  // 4
  const auto tried = revert(3, "{}", "?dry_run=true");
  EXPECT_EQ(tried.status, 200) << tried.body;
  EXPECT_EQ(node().at("locked"), true) << "only tried";
  const auto done = revert(3, R"({"why":"too early"})");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(node().at("locked"), false);
  EXPECT_EQ(node().at("flag"), "warning") << "somebody else's";
  EXPECT_EQ(node().at("service").at("state"), "in_service");
  EXPECT_EQ(node().at("service").at("who"), "person:carol");
  const auto log = parsed(master_.get("/api/v1/changes?since=4")).at("items").as_array();
  ASSERT_EQ(log.size(), 1U) << "one new change";
  EXPECT_EQ(log[0].at("why"), "undoes change 3: too early");
  const auto again = revert(3);
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(parsed(again).at("reverted").at(0).at("what"), "unchanged");
  EXPECT_EQ(parsed(master_.get("/api/v1/changes?since=5")).at("items").as_array().size(), 0U);
  // And back again: an undoing is a change like any other.
  ASSERT_EQ(revert(5).status, 200);
  EXPECT_EQ(node().at("locked"), true);
  // The rules for states hold: nobody can be put back to discovered.
  const auto ruled = revert(2, R"({"force":true})");
  EXPECT_EQ(ruled.status, 409);
  EXPECT_NE(ruled.body.find("cannot go from"), std::string::npos) << ruled.body;
}

TEST_F(Revert, RefusesWhereALaterChangeTouchedTheSame) {
  ASSERT_EQ(patch(R"({"flag":"warning"})").status, 200);                     // 2
  ASSERT_EQ(patch(R"({"flag":"alert","why":"worse"})", "bob").status, 200);  // 3
  const auto refused = revert(2);
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(refused.body.find("change 3 by person:bob"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("flag"), std::string::npos);
  EXPECT_EQ(node().at("flag"), "alert");
  EXPECT_EQ(revert(2, R"({"force":true})").status, 200);
  EXPECT_EQ(node().at("flag"), "ok");
}

TEST_F(Revert, SeveralAreUndoneTogetherOrNotAtAll) {
  ASSERT_EQ(patch(R"({"flag":"warning"})").status, 200);  // 2
  ASSERT_EQ(patch(R"({"flag":"alert"})").status, 200);    // 3
  ASSERT_EQ(revert(2, R"({"also":[3]})").status, 200) << "the newest first";
  EXPECT_EQ(node().at("flag"), "ok");
  EXPECT_EQ(revert(3, R"({"also":[99]})").status, 404);
  EXPECT_EQ(node().at("flag"), "ok");
}

TEST_F(Revert, SettingsAreForAdministrators) {
  const auto set = [&](const std::string& body) {
    return master_.ask("PATCH", "/api/v1/settings", body).status;
  };
  ASSERT_EQ(set(R"({"set":{"tree.heartbeat":"2s","tree.silence":"6s"}})"), 200);  // 2, 3
  ASSERT_EQ(set(R"({"set":{"tree.silence":"9s"}})"), 200);                        // 4
  EXPECT_EQ(revert(4).status, 403) << "an operator";
  const auto as_admin = [&](uint64_t sequence, const std::string& body = "{}") {
    return master_.ask("POST", fmt::format("/api/v1/changes/{}/revert", sequence), body);
  };
  ASSERT_EQ(as_admin(4).status, 200);
  EXPECT_EQ(master_.model.settings().text("tree.silence"), "6s");
  const auto alone = as_admin(3, R"({"force":true})");
  EXPECT_EQ(alone.status, 400) << alone.body;
  EXPECT_NE(alone.body.find("at least twice"), std::string::npos) << alone.body;
  EXPECT_EQ(master_.model.settings().text("tree.silence"), "6s") << "nothing was changed";
  ASSERT_EQ(as_admin(2, R"({"also":[3],"force":true})").status, 200);
  EXPECT_FALSE(master_.model.settings().is_set("tree.heartbeat"));
  EXPECT_EQ(master_.model.settings().text("tree.silence"), "3s");
}

TEST_F(Revert, WhatWasSeenIsNotUndone) {
  ASSERT_TRUE(master_.write([](store::Transaction& tx) -> Status {
    cluster::PhaseChange up;
    up.node = "n1";
    up.to = cluster::PhaseState::up;
    up.since = from_unix_ms(tx.time_ms());
    up.why = "linked";
    up.who = "daemon:aggregator/agg1";
    DROVER_CHECK_OK(cluster::write_phases(tx, std::span(&up, 1)));
    return {};
  }));
  const auto refused = revert(2);
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_NE(refused.body.find("nothing to undo"), std::string::npos) << refused.body;
}

TEST_F(Revert, CreationsRemovalsAndRenames) {
  ASSERT_EQ(
      master_.ask("POST", "/api/v1/groups", R"({"name":"g","nodes":"n1"})", {}, person("operator"))
          .status,
      201);                          // 2
  ASSERT_EQ(revert(2).status, 200);  // 3
  EXPECT_EQ(master_.get("/api/v1/groups/g").status, 404);
  ASSERT_EQ(revert(3).status, 200);
  EXPECT_EQ(master_.get("/api/v1/groups/g").status, 200);
  const uint64_t before = master_.store->head();
  const std::string id(node().at("id").as_string());
  ASSERT_EQ(master_.ask("POST", "/api/v1/nodes/n1/rename", R"({"to":"n7"})", {}, person("operator"))
                .status,
            200);
  const auto renamed = revert(before + 1);
  ASSERT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_EQ(node("n1").at("id").as_string(), id);
  EXPECT_EQ(master_.get("/api/v1/nodes/n7").status, 404);
}

TEST_F(Revert, BadInputAndLesserRoles) {
  EXPECT_EQ(revert(99).status, 404);
  EXPECT_EQ(master_.ask("POST", "/api/v1/changes/x/revert", "{}", {}, person("operator")).status,
            400);
  EXPECT_EQ(master_.ask("POST", "/api/v1/changes/0/revert", "{}", {}, person("operator")).status,
            400);
  EXPECT_EQ(master_.ask("POST", "/api/v1/changes/1/revert", "{}", {}, person("viewer")).status,
            403);
  EXPECT_EQ(revert(1, R"({"whim":1})").status, 400);
  EXPECT_EQ(revert(1, R"({"also":[0]})").status, 400);
}

TEST(Backup, HoldsTheDatabaseAndTheKeys) {
  TestMaster master;
  for (int i = 0; i < 50; ++i) master.add_node(fmt::format("n{}", i));
  ASSERT_TRUE(master.disk.make_dirs("/var/ca", 0700));
  ASSERT_TRUE(master.disk.write_atomic("/var/cluster", "alpha-1\n", 0644));
  ASSERT_TRUE(master.disk.write_atomic("/var/ca/ca.key", "secret", 0600));
  const auto first = master.send({"GET", "/api/v1/backup", {}, "", {}}, person("admin"));
  EXPECT_EQ(master.get("/api/v1/backup", person("admin")).status, 409) << "one at a time";
  EXPECT_EQ(master.get("/api/v1/backup", person("operator")).status, 403);
  ASSERT_TRUE(master.world.run_until([&] { return first->complete; }, std::chrono::minutes(1)));
  ASSERT_EQ(first->status, 200) << first->body;
  sim::SimDisk elsewhere;
  ASSERT_TRUE(elsewhere.write_atomic("/backup", first->body, 0600));
  const auto contents = auth::read_backup(*elsewhere.open("/backup", false, 0).value());
  ASSERT_TRUE(contents) << contents.error().text();
  EXPECT_EQ(contents->manifest.head, 50U);
  std::map<std::string, std::string> files;
  for (const auto& entry : contents->files) {
    files[entry.file] = first->body.substr(entry.offset, entry.bytes);
  }
  EXPECT_EQ(files["cluster"], "alpha-1\n");
  EXPECT_EQ(files["ca/ca.key"], "secret");
  ASSERT_TRUE(elsewhere.make_dirs("/var", 0700));
  ASSERT_TRUE(elsewhere.write_atomic("/var/store.db", files["drover.db"], 0600));
  auto restored = store::open_sqlite(master.process.executor(), elsewhere, master.process.log(),
                                     "/var/store.db", {});
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_EQ((*restored)->load("node").value().size(), 50U);
  EXPECT_EQ((*restored)->head(), 50U);
  ASSERT_TRUE(master.world.run_for(std::chrono::seconds(1)));
  EXPECT_FALSE(master.disk.exists("/var/backup.db.tmp").value()) << "nothing is left behind";
}

TEST(Backup, ASlowClientHoldsNothingUpAndOneThatLeavesIsForgotten) {
  TestMaster master;
  const std::string large(200'000, 'x');
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(master.write([&](store::Transaction& tx) -> Status {
      DROVER_CHECK_OK(tx.put("item", std::to_string(i), "\"" + large + "\""));
      return {};
    }));
  }
  const auto slow = master.send({"GET", "/api/v1/backup", {}, "", {}}, person("admin"));
  slow->unsent = size_t{8} << 20;
  ASSERT_TRUE(master.world.run_for(std::chrono::seconds(5)));
  EXPECT_EQ(slow->status, 200);
  EXPECT_FALSE(slow->complete);
  EXPECT_LT(slow->body.size(), 1'000'000U) << "waits for the client";
  master.add_node("n1");
  for (int i = 0; i < 40 && !slow->complete; ++i) {
    slow->unsent = 0;
    slow->drained();
    slow->unsent = size_t{8} << 20;
    ASSERT_TRUE(master.world.run_for(std::chrono::seconds(1)));
  }
  EXPECT_TRUE(slow->complete) << "it gets all at its own speed";
  EXPECT_GT(slow->body.size(), 4'000'000U);
  const auto leaver = master.send({"GET", "/api/v1/backup", {}, "", {}}, person("admin"));
  leaver->unsent = size_t{8} << 20;
  ASSERT_TRUE(master.world.run_for(std::chrono::seconds(5)));
  leaver->gone();
  ASSERT_TRUE(master.world.run_for(std::chrono::seconds(1)));
  EXPECT_FALSE(master.disk.exists("/var/backup.db.tmp").value());
  EXPECT_EQ(master.get("/api/v1/backup", person("admin")).status, 200) << "another one is possible";
}

}  // namespace
}  // namespace drover::api
