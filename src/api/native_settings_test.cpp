// GET, PUT, PATCH and DELETE of /settings, from request to answer on a real store.
#include "api/test_master.hpp"
#include "base/json_values.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

json::value parsed(const Recorded& answer) {
  auto value = parse_json(answer.body);
  EXPECT_TRUE(value) << answer.body;
  return value ? *value : json::value();
}

std::string text(const json::value& value, std::string_view name) {
  return std::string(value.at(name).as_string());
}

TEST(SettingsApi, ListsEverySettingWithItsDefaultAndOrigin) {
  TestMaster master;
  const auto listed = parsed(master.get("/api/v1/settings"));
  const auto& items = listed.at("items").as_array();
  ASSERT_EQ(items.size(), cluster::setting_catalogue().size());
  EXPECT_EQ(text(items.front(), "key"), "tree.heartbeat");
  EXPECT_EQ(text(items.front(), "value"), "1s");
  EXPECT_EQ(text(items.front(), "default"), "1s");
  EXPECT_EQ(text(items.front(), "origin"), "default");
  EXPECT_EQ(items.front().at("revision"), 0);
}

TEST(SettingsApi, SetShowAndTakeBack) {
  TestMaster master;
  const auto put =
      master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"5000ms","why":"a test"})");
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(text(parsed(put), "value"), "5s");
  EXPECT_EQ(text(parsed(put), "origin"), "cluster");
  const auto shown = master.get("/api/v1/settings/tree.hold");
  EXPECT_EQ(shown.headers.get("ETag"), "\"1\"");
  EXPECT_EQ(text(parsed(shown), "value"), "5s");
  EXPECT_EQ(master.model.settings().duration("tree.hold"), std::chrono::seconds(5));
  const auto again = master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"5s"})");
  EXPECT_EQ(again.headers.get("ETag"), "\"1\"") << "the same value is no change";
  EXPECT_EQ(master.ask("DELETE", "/api/v1/settings/tree.hold").status, 204);
  EXPECT_EQ(text(parsed(master.get("/api/v1/settings/tree.hold")), "origin"), "default");
  EXPECT_EQ(master.ask("DELETE", "/api/v1/settings/tree.hold").status, 204) << "it is gone already";
  EXPECT_EQ(master.store->head(), 2U);
}

TEST(SettingsApi, ADryRunChecksAndChangesNothing) {
  TestMaster master;
  const std::string hold = "/api/v1/settings/tree.hold?dry_run=true";
  const auto tried = master.ask("PUT", hold, R"({"value":"5s"})");
  ASSERT_EQ(tried.status, 200) << tried.body;
  EXPECT_EQ(text(parsed(tried), "value"), "5s");
  EXPECT_EQ(master.ask("PUT", hold, R"({"value":"soon"})").status, 400);
  EXPECT_EQ(
      master.ask("PATCH", "/api/v1/settings?dry_run=true", R"({"set":{"tree.hold":"5s"}})").status,
      200);
  EXPECT_EQ(master.ask("DELETE", hold).status, 204);
  EXPECT_EQ(master.store->head(), 0U);
  EXPECT_EQ(text(parsed(master.get("/api/v1/settings/tree.hold")), "value"), "1m");
}

TEST(SettingsApi, BadValuesSayWhatIsExpectedAndChangeNothing) {
  TestMaster master;
  const auto unknown = master.get("/api/v1/settings/tree.hodl");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("did you mean tree.hold?"), std::string::npos) << unknown.body;
  const auto bad = master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"soon"})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find("setting tree.hold: expected a duration"), std::string::npos) << bad.body;
  EXPECT_EQ(master.ask("PUT", "/api/v1/settings/tree.hold", R"({"valeu":"5s"})").status, 400);
  EXPECT_EQ(master.ask("PUT", "/api/v1/settings/tree.silence", R"({"value":"1s"})").status, 400)
      << "less than two heartbeats";
  EXPECT_EQ(master.store->head(), 0U);
}

TEST(SettingsApi, SeveralChangeTogetherOrNotAtAll) {
  TestMaster master;
  EXPECT_EQ(master.ask("PUT", "/api/v1/settings/tree.heartbeat", R"({"value":"5s"})").status, 400);
  const auto both = master.ask("PATCH", "/api/v1/settings",
                               R"({"set":{"tree.heartbeat":"5s","tree.silence":"15s"},"why":"w"})");
  ASSERT_EQ(both.status, 200) << both.body;
  EXPECT_EQ(master.store->head(), 2U);
  const auto alone = master.ask("DELETE", "/api/v1/settings/tree.silence");
  EXPECT_EQ(alone.status, 400) << "the default silence is less than two of these heartbeats";
  const auto mixed =
      master.ask("PATCH", "/api/v1/settings", R"({"set":{"log.level":"debug","tree.hold":"x"}})");
  EXPECT_EQ(mixed.status, 400);
  EXPECT_FALSE(master.model.settings().is_set("log.level"));
  EXPECT_EQ(master.ask("PATCH", "/api/v1/settings", R"({"unset":["tree.hodl"]})").status, 404);
  const auto back =
      master.ask("PATCH", "/api/v1/settings", R"({"unset":["tree.heartbeat","tree.silence"]})");
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(master.model.settings(), cluster::Settings());
}

TEST(SettingsApi, AStaleRevisionChangesNothing) {
  TestMaster master;
  ASSERT_EQ(master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"5s"})").status, 200);
  const auto stale =
      master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"6s"})", {{"If-Match", "\"7\""}});
  EXPECT_EQ(stale.status, 412) << stale.body;
  EXPECT_EQ(master.ask("DELETE", "/api/v1/settings/tree.hold", "", {{"If-Match", "\"7\""}}).status,
            412);
  EXPECT_EQ(master.model.settings().text("tree.hold"), "5s");
}

TEST(SettingsApi, OnlyAnAdministratorMayChangeThem) {
  TestMaster master;
  for (const char* role : {"viewer", "operator", "user"}) {
    EXPECT_EQ(master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"5s"})", {}, person(role))
                  .status,
              403)
        << role;
    EXPECT_EQ(master.ask("DELETE", "/api/v1/settings/tree.hold", "", {}, person(role)).status, 403);
    EXPECT_EQ(master.ask("PATCH", "/api/v1/settings", "{}", {}, person(role)).status, 403);
  }
  EXPECT_EQ(master.get("/api/v1/settings", person("viewer")).status, 200);
}

TEST(SettingsApi, TheSameKeyTwiceIsOneChange) {
  TestMaster master;
  const net::HttpHeaders key{{"Idempotency-Key", "k1"}};
  const auto first = master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"5s"})", key);
  EXPECT_EQ(master.ask("DELETE", "/api/v1/settings/tree.hold").status, 204);
  const auto again = master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"5s"})", key);
  EXPECT_EQ(again.body, first.body);
  EXPECT_FALSE(master.model.settings().is_set("tree.hold"));
  const auto other = master.ask("PUT", "/api/v1/settings/tree.hold", R"({"value":"6s"})", key);
  EXPECT_EQ(other.status, 409);
}

TEST(ControlApi, LevelsAreShownAndSetByAnAdministratorAlone) {
  TestMaster master;
  const auto shown = parsed(master.get("/api/v1/local/log-levels"));
  EXPECT_EQ(text(shown, "level"), "info");
  EXPECT_EQ(text(shown.at("components").as_array().front(), "origin"), "cluster");
  const auto set = master.ask("PUT", "/api/v1/local/log-levels", R"({"levels":{"link":"debug"}})");
  EXPECT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(text(parsed(set).at("by_hand"), "link"), "debug");
  const auto bad = master.ask("PUT", "/api/v1/local/log-levels", R"({"levels":{"bad":"debug"}})");
  EXPECT_EQ(bad.status, 400);
  const auto refused =
      master.ask("PUT", "/api/v1/local/log-levels", R"({"levels":{}})", {}, person("operator"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(master.control.levels.by_hand.size(), 1U);
}

TEST(ControlApi, ReloadTellsWhatHasChangedOrWhyItWasNotTaken) {
  TestMaster master;
  const auto done = parsed(master.ask("POST", "/api/v1/local/reload"));
  EXPECT_EQ(text(done, "file"), "/etc/drover/master.toml");
  EXPECT_EQ(text(done.at("options").as_array().front(), "after"), "5s");
  EXPECT_EQ(master.ask("POST", "/api/v1/local/reload", "", {}, person("viewer")).status, 403);
  master.control.refuse = Error{Code::invalid_argument, "2 mistakes", {}, {}};
  EXPECT_EQ(master.ask("POST", "/api/v1/local/reload").status, 400);
}

}  // namespace
}  // namespace drover::api
