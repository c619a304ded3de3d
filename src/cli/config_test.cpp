// drover config, log level and reload.
#include "cli/test_daemon.hpp"

#include <fstream>

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::Answers;
using testing::CommandLine;
using testing::from_table;
using testing::json_response;
using testing::Ran;
using testing::run_against;
using testing::TestDaemon;

class ConfigCommand : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder / name;
    std::ofstream(path) << text;
    return path;
  }
  os::testing::TestFolder folder;
  CommandLine drover;
};

TEST_F(ConfigCommand, CheckTellsEveryMistakeWithItsPlace) {
  const std::string file = write("aggregator.toml",
                                 "name = \"agg1\"\ncluster = \"x\"\nlisten = [\"nowhere\"]\n"
                                 "mastres = [\"10.0.0.1:9815\"]\n[tree]\nheartbeat = \"1ms\"\n");
  const Ran ran = drover({"config", "check", "--file", file});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.out.find(file + ":3: listen: "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(file + ":4: unknown setting \"mastres\"; did you mean masters?"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find(file + ":6: tree.heartbeat: must lie in"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("masters is not set"), std::string::npos) << ran.out;
  const Ran json = drover({"config", "check", "--file", file, "-o", "json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_NE(json.out.find("\"ok\": false"), std::string::npos) << json.out;
}

TEST_F(ConfigCommand, AGoodFileIsOk) {
  const std::string file = write("m.toml", "[tree]\nhold = \"5s\"\n");
  EXPECT_EQ(drover({"config", "check", "--file", file}).code, 2) << "whose is it?";
  const Ran ran = drover({"config", "check", "--role", "master", "--file", file});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(ran.out, "master: " + file + ": ok\n");
  EXPECT_EQ(drover({"config", "check", "--role", "king", "--file", file}).code, 2);
  EXPECT_NE(drover({"config", "check", "--role", "master", "--file", file + "x"}).code, 0);
}

TEST_F(ConfigCommand, ShowSaysWhereEachValueComesFrom) {
  const std::string file = write("master.toml", "[tree]\nhold = \"5s\"\n");
  drover.environment = {{"DROVER_LOG_LEVEL", "debug"}};
  const Ran ran =
      drover({"config", "show", "--origin", "--file", file, "--filter", "key=tree.hold"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("tree.hold  5s     file  " + file + ":2"), std::string::npos) << ran.out;
  const Ran level = drover(
      {"config", "show", "--origin", "--file", file, "-o", "csv", "--columns", "key,value,origin"});
  EXPECT_NE(level.out.find("log.level,,cluster\n"), std::string::npos)
      << "no daemon has this shell's variables: " << level.out;
  const Ran mine = drover({"config", "show", "--environment", "--file", file, "-o", "csv",
                           "--columns", "key,value,origin"});
  EXPECT_NE(mine.out.find("log.level,debug,environment\n"), std::string::npos) << mine.out;
}

constexpr const char* kLevels =
    R"({"level":"info","origin":"default","components":[{"component":"link","level":"debug",)"
    R"("origin":"by hand"}],"by_hand":{"link":"debug"}})";

TEST(LogCommand, AddsToWhatIsSetByHand) {
  TestDaemon daemon(from_table({{"GET /api/v1/local/log-levels", json_response(kLevels)},
                                {"PUT /api/v1/local/log-levels", json_response(kLevels)}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran shown = drover({"log", "level"});
  EXPECT_EQ(shown.out,
            "COMPONENT  LEVEL  FROM\n*          info   default\nlink       debug  by hand\n")
      << shown.err;
  EXPECT_EQ(drover({"log", "level", "call=error,notice"}).code, 0);
  EXPECT_EQ(
      daemon.requests().back(),
      R"(PUT /api/v1/local/log-levels {"levels":{"link":"debug","call":"error","*":"notice"}})");
  EXPECT_EQ(drover({"log", "level", "--reset"}).code, 0);
  EXPECT_EQ(daemon.requests().back(), R"(PUT /api/v1/local/log-levels {"levels":{}})");
  const size_t before = daemon.requests().size();
  EXPECT_EQ(drover({"log", "level", "link=loud"}).code, 2);
  EXPECT_EQ(drover({"log", "level", "king", "link=debug"}).code, 2);
  EXPECT_LE(daemon.requests().size(), before + 1);
}

TEST(ReloadCommand, TellsWhatWaitsForTheNextStart) {
  const Answers answers{
      {"POST /api/v1/local/reload",
       json_response(
           R"({"file":"/f","options":[{"key":"listen","before":"a:1","after":"b:2","live":false}]})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"reload"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("listen  a:1     b:2  false"), std::string::npos) << ran.out;
  EXPECT_EQ(daemon.requests().back(), "POST /api/v1/local/reload") << "which takes no body";
  EXPECT_NE(ran.err.find("listen takes effect at the daemon's next start"), std::string::npos);
}

}  // namespace
}  // namespace drover::cli
