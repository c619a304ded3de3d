#include "daemons/log_control.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using cluster::Settings;

const api::ComponentLevel* find(const api::LogLevelsView& view, const std::string& component) {
  for (const api::ComponentLevel& row : view.components) {
    if (row.component == component) return &row;
  }
  return nullptr;
}

TEST(LogControl, ByHandIsStrongerThanTheHostAndTheHostThanTheCluster) {
  LogControl logs{Settings()};
  EXPECT_EQ(logs.view().level, "info");
  EXPECT_EQ(logs.view().origin, "default");
  logs.configured(Settings({{"log.level", "warning"}, {"log.levels", "link=debug"}}), {});
  EXPECT_TRUE(logs.levels().passes(Severity::debug, "link"));
  EXPECT_FALSE(logs.levels().passes(Severity::info, "call"));
  EXPECT_EQ(logs.view().origin, "cluster");
  EXPECT_EQ(find(logs.view(), "link")->origin, "cluster");
  logs.configured(Settings({{"log.level", "error"}}), {{"log.level", "error"}});
  EXPECT_EQ(logs.view().origin, "host");
  EXPECT_FALSE(logs.levels().passes(Severity::warning, "link"));
  ASSERT_TRUE(logs.by_hand({{"*", "notice"}, {"link", "debug"}}));
  EXPECT_EQ(logs.view().level, "notice");
  EXPECT_EQ(find(logs.view(), "link")->origin, "by hand");
  logs.configured(Settings(), {});
  EXPECT_TRUE(logs.levels().passes(Severity::debug, "link")) << "settings do not undo it";
  ASSERT_TRUE(logs.by_hand({}));
  EXPECT_FALSE(logs.levels().passes(Severity::debug, "link"));
  EXPECT_EQ(logs.view().origin, "default");
  EXPECT_TRUE(logs.view().by_hand.empty());
}

TEST(LogControl, NonsenseChangesNothing) {
  LogControl logs{Settings()};
  ASSERT_TRUE(logs.by_hand({{"link", "debug"}}));
  for (const auto& [component, level] : std::map<std::string, std::string>{{"link", "loud"},
                                                                           {"*", "loud"},
                                                                           {"", "info"},
                                                                           {"Link", "info"},
                                                                           {"a=debug,b", "info"},
                                                                           {"*,x", "info"}}) {
    EXPECT_FALSE(logs.by_hand({{component, level}})) << component << ' ' << level;
  }
  EXPECT_FALSE(logs.by_hand({{"*", "info,x=debug"}}));
  EXPECT_EQ(logs.view().by_hand.size(), 1U);
}

}  // namespace
}  // namespace drover::daemons
