#include "options/daemon_options.hpp"

#include <set>

#include <gtest/gtest.h>

namespace drover::options {
namespace {

TEST(DaemonOptions, EveryTableIsSound) {
  for (const std::string_view role : daemon_roles()) {
    const ConfigTable* table = daemon_table(role);
    ASSERT_NE(table, nullptr) << role;
    EXPECT_EQ(table->program(), "drover-" + std::string(role));
    std::set<std::string> keys;
    for (const ConfigOption& option : table->options()) {
      EXPECT_TRUE(keys.insert(option.key).second) << role << ' ' << option.key;
      EXPECT_FALSE(option.help.empty()) << role << ' ' << option.key;
      const cluster::SettingRow* setting = cluster::find_setting(option.key);
      if (setting == nullptr) continue;
      EXPECT_EQ(option.standard, "") << "or this host would always overrule the cluster";
      EXPECT_EQ(option.live, setting->live) << option.key;
    }
    EXPECT_EQ(standard_file(role), "/etc/drover/" + std::string(role) + ".toml");
  }
  EXPECT_EQ(daemon_table("nobody"), nullptr);
  EXPECT_EQ(daemon_table(""), nullptr);
}

/// No file, nothing made.
class NoDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string&, bool, uint32_t) override {
    return fail(Code::not_found, "no file");
  }
  Result<bool> exists(const std::string&) override { return false; }
  Status remove(const std::string&) override { return fail(Code::unsupported, "none"); }
  Status rename(const std::string&, const std::string&) override {
    return fail(Code::unsupported, "none");
  }
  Result<std::vector<std::string>> list(const std::string&) override {
    return fail(Code::unsupported, "none");
  }
  Status make_dirs(const std::string&, uint32_t) override {
    return fail(Code::unsupported, "none");
  }
  Status sync_dir(const std::string&) override { return fail(Code::unsupported, "none"); }
};

TEST(DaemonOptions, WhatAHostSaysOfClusterSettingsIsItsOwn) {
  NoDisk disk;
  const auto config =
      daemon_table("master")->load({{"--tree-hold=5s", "--cluster=x", "--log-levels", "link=debug"},
                                    {{"DROVER_LOG_LEVEL", "warning"}},
                                    {}},
                                   disk);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(own_settings(*config),
            (cluster::Settings::Values{
                {"tree.hold", "5s"}, {"log.level", "warning"}, {"log.levels", "link=debug"}}));
  const auto bad = daemon_table("master")->load({{"--log-levels", "link=loud"}, {}, {}}, disk);
  ASSERT_FALSE(bad);
  EXPECT_EQ(config->text("socket"), "/run/drover/master.sock");
  EXPECT_EQ(config->text("state"), "/var/lib/drover/master");
}

}  // namespace
}  // namespace drover::options
