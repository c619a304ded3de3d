#include "base/config.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

/// A disk of one directory of constant files.
class FileTable final : public Disk {
 public:
  explicit FileTable(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, bool /*create*/,
                                     uint32_t /*mode*/) override {
    const auto it = files_.find(path);
    if (it == files_.end()) return fail(Code::not_found, "no such file: " + path);
    return std::make_unique<Constant>(it->second);
  }
  Result<bool> exists(const std::string& path) override { return files_.contains(path); }
  Status remove(const std::string& /*path*/) override { return refuse(); }
  Status rename(const std::string& /*from*/, const std::string& /*to*/) override {
    return refuse();
  }
  Result<std::vector<std::string>> list(const std::string& /*dir*/) override {
    return fail(Code::unsupported, "constant");
  }
  Status make_dirs(const std::string& /*dir*/, uint32_t /*mode*/) override { return refuse(); }
  Status sync_dir(const std::string& /*dir*/) override { return refuse(); }

 private:
  static Status refuse() { return fail(Code::unsupported, "constant"); }
  class Constant final : public File {
   public:
    explicit Constant(std::string text) : text_(std::move(text)) {}
    Result<size_t> read(uint64_t offset, std::span<char> out) override {
      return std::string_view(text_).substr(offset).copy(out.data(), out.size());
    }
    Status write(uint64_t /*offset*/, std::string_view /*bytes*/) override { return refuse(); }
    Status truncate(uint64_t /*size*/) override { return refuse(); }
    Status sync() override { return {}; }
    Result<uint64_t> size() override { return text_.size(); }
    Status lock() override { return refuse(); }

   private:
    std::string text_;
  };
  std::map<std::string, std::string> files_;
};

const ConfigTable& table() {
  static const ConfigTable kTable(
      "drover-test", "a daemon for tests",
      {{.key = "name", .help = "this daemon's name", .required = true},
       {.key = "listen", .type = ConfigType::list, .standard = "127.0.0.1:0", .help = "endpoints"},
       {.key = "tree.heartbeat",
        .type = ConfigType::duration,
        .standard = "1s",
        .help = "between heartbeats",
        .least = 100,
        .most = 60'000},
       {.key = "data_dir", .type = ConfigType::path, .standard = "/var/lib/drover", .help = "data"},
       {.key = "workers",
        .type = ConfigType::integer,
        .standard = "2",
        .help = "threads",
        .least = 1,
        .most = 64},
       {.key = "spool.limit",
        .type = ConfigType::bytes,
        .standard = "64MiB",
        .help = "spool",
        .least = 4096},
       {.key = "journald", .type = ConfigType::boolean, .standard = "false", .help = "log form"},
       {.key = "level",
        .type = ConfigType::choice,
        .standard = "info",
        .help = "least severity",
        .choices = {"debug", "info", "error"}}});
  return kTable;
}

Result<Config> load(std::vector<std::string> arguments,
                    std::map<std::string, std::string> environment = {},
                    const std::string& file = {}) {
  FileTable disk(file.empty() ? std::map<std::string, std::string>{}
                              : std::map<std::string, std::string>{{"/etc/t.toml", file}});
  return table().load({std::move(arguments), std::move(environment), "/etc/t.toml"}, disk);
}

std::string error_of(const Result<Config>& result) {
  return result ? "no error" : result.error().text();
}

TEST(Config, DefaultsThenFileThenEnvironmentThenFlags) {
  const std::string file = "name = \"a\"\nworkers = 4\n[tree]\nheartbeat = \"2s\"\n";
  const auto config =
      load({"--workers=8"}, {{"DROVER_WORKERS", "6"}, {"DROVER_TREE_HEARTBEAT", "3s"}}, file);
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->text("name"), "a");
  EXPECT_EQ(config->value("name").where, "/etc/t.toml:1");
  EXPECT_EQ(config->value("name").origin, ConfigOrigin::file);
  EXPECT_EQ(config->integer("workers"), 8);
  EXPECT_EQ(config->value("workers").where, "--workers");
  EXPECT_EQ(config->duration("tree.heartbeat"), std::chrono::seconds(3));
  EXPECT_EQ(config->value("tree.heartbeat").where, "DROVER_TREE_HEARTBEAT");
  EXPECT_EQ(config->bytes("spool.limit"), 64U << 20);
  EXPECT_EQ(config->value("spool.limit").origin, ConfigOrigin::standard);
  EXPECT_EQ(config->list("listen"), std::vector<std::string>{"127.0.0.1:0"});
  EXPECT_FALSE(config->flag("journald"));
  EXPECT_EQ(config->file(), "/etc/t.toml");
}

TEST(Config, FlagForms) {
  const auto config = load({"--name", "n1", "--listen=a:1,b:2", "--listen", "c:3", "--journald",
                            "--data-dir=/d", "--level=debug"});
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->list("listen"), (std::vector<std::string>{"a:1", "b:2", "c:3"}));
  EXPECT_TRUE(config->flag("journald"));
  EXPECT_EQ(config->text("data_dir"), "/d");
  EXPECT_FALSE(load({"--name=x", "--journald", "--no-journald"})->flag("journald"));
  EXPECT_TRUE(load({"--help", "--nonsense"})->wants_help());
  EXPECT_TRUE(load({"--version"})->wants_version());
}

TEST(Config, UnknownNamesAreErrorsWithTheNearestOne) {
  EXPECT_EQ(error_of(load({"--name=a", "--wrokers", "2"})),
            "unknown argument --wrokers; did you mean --workers?");
  EXPECT_EQ(error_of(load({"--name=a", "stray"})), "unknown argument stray");
  EXPECT_EQ(error_of(load({"--name=x"}, {}, "\n[tree]\nheartbeet = \"1s\"\n")),
            "/etc/t.toml:3: unknown setting \"tree.heartbeet\"; did you mean tree.heartbeat?");
  const auto config = load({"--name=x"}, {{"DROVER_WORKER", "3"}});
  ASSERT_TRUE(config);
  ASSERT_EQ(config->warnings().size(), 1U);
  EXPECT_EQ(config->warnings()[0],
            "DROVER_WORKER is not a setting of this program; did you mean DROVER_WORKERS?");
}

TEST(Config, TypesAndRangesAreChecked) {
  EXPECT_EQ(error_of(load({"--name=x", "--workers=many"})),
            "--workers: workers: expected an integer, not \"many\"");
  EXPECT_EQ(error_of(load({"--name=x", "--workers=65"})),
            "--workers: workers: must lie in 1 to 64, not 65");
  EXPECT_EQ(error_of(load({"--name=x", "--spool-limit=1"})),
            "--spool-limit: spool.limit: must be at least 4096 bytes, not 1 bytes");
  EXPECT_EQ(error_of(load({"--name=x"}, {{"DROVER_TREE_HEARTBEAT", "1ms"}})),
            "DROVER_TREE_HEARTBEAT: tree.heartbeat: must lie in 100 ms to 60000 ms, not 1 ms");
  EXPECT_EQ(error_of(load({"--name=x", "--level=loud"})),
            "--level: level: expected one of debug, info, error, not \"loud\"");
  EXPECT_EQ(error_of(load({"--name=x"}, {}, "workers = \"4\"")),
            "/etc/t.toml:1: workers: expected an integer, not a text");
  EXPECT_EQ(error_of(load({"--name=x"}, {}, "listen = \"a:1\"")),
            "/etc/t.toml:1: listen: expected a list of texts, not a text");
  EXPECT_EQ(error_of(load({"--name=x"}, {}, "listen = [\"a:1\", 2]")),
            "/etc/t.toml:1: listen must be a list of texts without commas");
  EXPECT_EQ(error_of(load({"--name"})), "--name needs a value");
  EXPECT_EQ(error_of(load({})), "name is not set: this daemon's name");
}

TEST(Config, FileProblemsNameTheFile) {
  EXPECT_TRUE(error_of(load({"--name=x"}, {}, "workers = = 2")).starts_with("/etc/t.toml:1:"));
  EXPECT_NE(error_of(load({"--name=x", "--config=/no/such"})).find("/no/such"), std::string::npos);
  EXPECT_NE(error_of(load({"--name=x"}, {{"DROVER_CONFIG", "/none"}})).find("/none"),
            std::string::npos);
}

TEST(Config, DurationsAndSizes) {
  EXPECT_EQ(parse_duration("1500ms").value(), std::chrono::milliseconds(1500));
  EXPECT_EQ(duration_text(std::chrono::milliseconds(1500)), "1500ms");
  EXPECT_EQ(duration_text(std::chrono::minutes(60)), "1h");
  EXPECT_EQ(parse_duration("0").value(), Duration::zero());
  for (const auto* bad : {"", "5", "s", "-1s", "1 fortnight", "99999999999d", "1.5s"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(parse_bytes("2GiB").value(), uint64_t{2} << 30);
  for (const auto* bad : {"", "-1", "1X", "99999999999999GiB"})
    EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Config, EnvironmentKeepsOurVariablesAlone) {
  const char* const environment[] = {"PATH=/bin", "DROVER_SOCKET=/x=y", "DROVER_", nullptr};
  EXPECT_EQ(drover_environment(environment),
            (std::map<std::string, std::string>{{"DROVER_SOCKET", "/x=y"}}));
}

TEST(Config, UsageListsEverySetting) {
  const std::string usage = table().usage();
  EXPECT_NE(usage.find("--tree-heartbeat=VALUE"), std::string::npos);
  EXPECT_NE(usage.find("[64MiB]"), std::string::npos);
  EXPECT_NE(usage.find("(debug, info, error)"), std::string::npos);
}

TEST(Config, EveryMistakeIsToldInOneGo) {
  FileTable disk({{"/etc/t.toml", "workers = 65\nworkerz = 1\n[tree]\nheartbeat = 5\n"}});
  const ConfigFindings found = table().examine(
      {{"--lisen=x", "--level=loud"}, {{"DROVER_SPOOL_LIMIT", "big"}}, "/etc/t.toml"}, disk);
  std::string all;
  for (const Error& error : found.errors) all += error.text() + "\n";
  ASSERT_EQ(found.errors.size(), 7U) << all;
  EXPECT_NE(all.find("unknown argument --lisen; did you mean --listen?"), std::string::npos) << all;
  EXPECT_NE(all.find("/etc/t.toml:1: workers: must lie in 1 to 64"), std::string::npos) << all;
  EXPECT_NE(all.find("/etc/t.toml:2: unknown setting \"workerz\"; did you mean workers?"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("/etc/t.toml:4: tree.heartbeat: expected a duration"), std::string::npos)
      << all;
  EXPECT_NE(all.find("DROVER_SPOOL_LIMIT: spool.limit: "), std::string::npos) << all;
  EXPECT_NE(all.find("--level: level: expected one of debug, info, error"), std::string::npos)
      << all;
  EXPECT_NE(all.find("name is not set"), std::string::npos) << all;
  const auto loaded =
      table().load({{"--lisen=x", "--level=loud", "--name=a"}, {}, "/etc/none.toml"}, disk);
  EXPECT_EQ(error_of(loaded).find("2 mistakes\n  unknown argument"), 0U) << error_of(loaded);
}

TEST(Config, PrintsWhatIsInForceAndWhereItComesFrom) {
  const auto config =
      load({"--print-config", "--workers=8"}, {{"DROVER_LEVEL", "debug"}}, "name = \"a\\u0007\"\n");
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_TRUE(config->wants_print());
  const std::string text = config_text(*config);
  EXPECT_NE(text.find("name            a\\x07  # file /etc/t.toml:1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("workers         8  # flag --workers\n"), std::string::npos) << text;
  EXPECT_NE(text.find("level           debug  # environment DROVER_LEVEL\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("tree.heartbeat  1s  # default\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace drover
