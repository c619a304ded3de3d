// drover setting against a scripted daemon.
#include "cli/test_daemon.hpp"

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

constexpr const char* kHold =
    R"({"key":"tree.hold","value":"5s","default":"1m","origin":"cluster","type":"duration",)"
    R"("help":"How long.","applies":"master","live":true,"choices":[],"revision":7})";
constexpr const char* kGrace =
    R"({"key":"tree.grace","value":"15s","default":"15s","origin":"default","type":"duration",)"
    R"("help":"Patience.","applies":"master","live":false,"choices":[],"revision":0})";

std::string items() {
  return std::string(R"({"items":[)") + kHold + "," + kGrace + "]}";
}

TEST(SettingCommand, ListsValuesDefaultsAndOrigins) {
  const Answers answers{{"GET /api/v1/settings", json_response(items())}};
  EXPECT_EQ(run_against(answers, {"setting", "list"}).out,
            "SETTING     VALUE  DEFAULT  FROM     APPLIES TO\n"
            "tree.hold   5s     1m       cluster  master\n"
            "tree.grace  15s    15s      default  master\n");
  EXPECT_EQ(run_against(answers, {"setting", "list", "--changed", "-o", "name"}).out,
            "tree.hold\n");
}

TEST(SettingCommand, ShowsOneWithWhatItDoes) {
  const Answers answers{{"GET /api/v1/settings/tree.hold", json_response(kHold)}};
  const Ran ran = run_against(answers, {"setting", "get", "tree.hold"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("How long."), std::string::npos) << ran.out;
  EXPECT_EQ(run_against(answers, {"setting", "get", "tree.hodl"}).code, 1);
}

TEST(SettingCommand, SetsSeveralAtOnce) {
  TestDaemon daemon(from_table({{"PATCH /api/v1/settings", json_response(items())}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"setting", "set", "tree.hold=5s", "tree.grace=a=b", "--why", "x"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(
      daemon.requests(),
      (std::vector<std::string>{
          R"(PATCH /api/v1/settings {"set":{"tree.hold":"5s","tree.grace":"a=b"},"unset":[],"why":"x"})"}));
  EXPECT_NE(ran.err.find("tree.grace takes effect at the next start of: master"), std::string::npos)
      << ran.err;
  EXPECT_EQ(drover({"setting", "unset", "tree.hold"}).code, 0);
  EXPECT_EQ(daemon.requests().back(), R"(PATCH /api/v1/settings {"set":{},"unset":["tree.hold"]})");
  const Ran tried = drover({"setting", "unset", "tree.hold", "--dry-run"});
  EXPECT_EQ(daemon.requests().back(),
            R"(PATCH /api/v1/settings?dry_run=true {"set":{},"unset":["tree.hold"]})");
  EXPECT_NE(tried.err.find("only tried"), std::string::npos) << tried.err;
}

TEST(SettingCommand, WhatSetsNothingIsRefusedBeforeAnybodyIsAsked) {
  const CommandLine drover;
  EXPECT_EQ(drover({"setting", "set", "tree.hold"}).code, 2);
  EXPECT_EQ(drover({"setting", "set", "=5s"}).code, 2);
  const Ran twice = drover({"setting", "set", "a=1", "a=2"});
  EXPECT_EQ(twice.code, 2);
  EXPECT_NE(twice.err.find("a is set twice"), std::string::npos) << twice.err;
}

}  // namespace
}  // namespace drover::cli
