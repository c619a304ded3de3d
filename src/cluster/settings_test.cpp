#include "cluster/settings.hpp"

#include "base/log_levels.hpp"
#include "base/text.hpp"
#include "cluster/memory_store.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

std::string message(const Status& status) {
  return status ? "no error" : status.error().message;
}

TEST(Settings, EveryRowOfTheCatalogueIsSound) {
  std::set<std::string> keys;
  for (const SettingRow& row : setting_catalogue()) {
    EXPECT_TRUE(keys.insert(row.option.key).second) << row.option.key;
    EXPECT_TRUE(row.option.help.ends_with('.')) << row.option.key;
    EXPECT_FALSE(row.applies.empty()) << row.option.key;
    const auto standard = check_value(row.option, row.option.standard);
    ASSERT_TRUE(standard) << row.option.key << ": " << standard.error().message;
    EXPECT_EQ(*standard, row.option.standard) << "defaults are in canonical form";
    EXPECT_EQ(Settings().text(row.option.key), row.option.standard);
  }
  EXPECT_TRUE(check_together(Settings()));
}

TEST(Settings, ValuesAreCheckedAndMadeCanonical) {
  EXPECT_EQ(*check_setting("tree.heartbeat", "2000ms"), "2s");
  const auto unknown = check_setting("tree.hartbeat", "2s");
  EXPECT_EQ(unknown.error().code, Code::not_found);
  EXPECT_EQ(unknown.error().message,
            "there is no setting \"tree.hartbeat\"; did you mean tree.heartbeat?");
  EXPECT_EQ(check_setting("tree.heartbeat", "fast").error().message,
            "setting tree.heartbeat: expected a duration such as 500ms, 3s, 2m, 1h, not \"fast\"");
  EXPECT_EQ(check_setting("tree.heartbeat", "1ms").error().message,
            "setting tree.heartbeat: must lie in 50 ms to 60000 ms, not 1 ms");
  EXPECT_EQ(check_setting("log.level", "loud").error().message,
            "setting log.level: expected one of debug, info, notice, warning, error, not \"loud\"");
  EXPECT_FALSE(check_setting("log.levels", "link=debug,link=info"));
  EXPECT_FALSE(check_setting("log.levels", "Link=debug"));
  EXPECT_FALSE(check_setting("log.levels", "link"));
  EXPECT_FALSE(check_setting("tree.move_least", "4.5"));
  EXPECT_FALSE(check_setting("tree.move_least", ""));
  EXPECT_TRUE(check_setting("log.levels", "link=debug,call=warning"));
}

TEST(Settings, NameServersAreAddressesWithOrWithoutAPort) {
  for (const char* good :
       {"10.0.0.53", "10.0.0.53:5353,10.0.1.53", "fd00::53", "[fd00::53]:5353", "[fd00::53]", ""}) {
    EXPECT_TRUE(check_setting("dns.upstreams", good)) << good;
  }
  for (const char* bad : {"dns.example", "10.0.0.53:0", "10.0.0.53:x", "10.0.0.53:", ":53",
                          "[fd00::53]:", "[fd00::53:53", "fd00::53]:53", "10.0.0.53:65536",
                          "10.0.0.53/24", "[]:53", "[", ":"}) {
    EXPECT_FALSE(check_setting("dns.upstreams", bad)) << bad;
  }
}

TEST(Settings, WhatIsSetLiesOverTheDefaults) {
  const Settings settings(
      {{"tree.hold", "5s"}, {"of.a.newer.version", "x"}, {"tree.silence", "?"}});
  EXPECT_EQ(settings.duration("tree.hold"), std::chrono::seconds(5));
  EXPECT_EQ(settings.duration("tree.silence"), std::chrono::seconds(3)) << "broken: not set";
  EXPECT_EQ(settings.integer("tree.move_percent"), 5);
  EXPECT_TRUE(settings.is_set("tree.hold"));
  EXPECT_FALSE(settings.is_set("tree.silence"));
  EXPECT_TRUE(settings.is_set("of.a.newer.version"));
}

TEST(Settings, ALinkMustNotBeLostBetweenTwoHeartbeats) {
  EXPECT_TRUE(check_together(Settings({{"tree.heartbeat", "1s"}, {"tree.silence", "2s"}})));
  const Status bad = check_together(Settings({{"tree.heartbeat", "1501ms"}}));
  EXPECT_NE(message(bad).find("tree.silence (3s) must be at least twice tree.heartbeat (1501ms)"),
            std::string::npos)
      << message(bad);
}

TEST(Settings, TheBookFollowsTheChanges) {
  testing::MemoryTransaction tx;
  SettingBook book;
  EXPECT_FALSE(book.apply(tx.changes));
  ASSERT_TRUE(set_setting(tx, "tree.hold", "60000ms"));
  ASSERT_TRUE(set_setting(tx, "log.level", "debug"));
  EXPECT_TRUE(book.apply(tx.changes));
  EXPECT_EQ(book.settings().text("tree.hold"), "1m");
  EXPECT_EQ(book.version(), 2U);
  EXPECT_EQ(book.revision("tree.hold"), 1U);
  EXPECT_EQ(book.revision("tree.silence"), 0U);
  EXPECT_EQ(*read_settings(tx), book.settings());
  tx.changes.clear();
  EXPECT_TRUE(*unset_setting(tx, "tree.hold"));
  EXPECT_FALSE(*unset_setting(tx, "tree.hold"));
  ASSERT_TRUE(tx.put("node", "n1", "{}"));
  EXPECT_TRUE(book.apply(tx.changes));
  EXPECT_FALSE(book.settings().is_set("tree.hold"));
  EXPECT_EQ(book.version(), 3U) << "the node is no setting";
  EXPECT_FALSE(set_setting(tx, "tree.hold", "-1s"));
}

/// The table in the manual is the catalogue. DROVER_UPDATE_GOLDEN=1 writes it anew.
TEST(Settings, TheManualHasTheCatalogue) {
  const std::string path = DROVER_SOURCE_DIR "/docs/operating.md";
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  std::string manual = read.str();
  const std::string begin = "<!-- settings: made from the catalogue -->\n";
  const std::string end = "<!-- settings end -->";
  const size_t from = manual.find(begin);
  const size_t to = manual.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
  const size_t at = from + begin.size();
  const std::string made = setting_table_markdown();
  if (std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << manual.replace(at, to - at, made);
    return;
  }
  EXPECT_TRUE(manual.substr(at, to - at) == made)
      << "docs/operating.md is not what the catalogue says; run this with DROVER_UPDATE_GOLDEN=1";
}

}  // namespace
}  // namespace drover::cluster
