#include "sim/bmc/fleet_program.hpp"

#include "sim/bmc/bmc_tree.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

using Words = std::vector<std::string>;

TEST(FleetProgram, ReadsItsOptions) {
  const auto program = parse_fleet_program(
      Words{"--count", "3", "--latency", "50", "--starts-on", "yes", "--hostility", "deep"});
  ASSERT_TRUE(program) << program.error().text();
  EXPECT_EQ(program->fleet.count, 3U);
  EXPECT_EQ(program->fleet.traits.latency, std::chrono::milliseconds(50));
  EXPECT_TRUE(program->fleet.traits.starts_on);
  EXPECT_EQ(program->fleet.traits.hostility, BmcHostility::deep);
}

TEST(FleetProgram, TheFirstNicCanHaveAMacOfItsOwn) {
  const auto program = parse_fleet_program(Words{"--mac", "52:54:00:77:00:01"});
  ASSERT_TRUE(program);
  const BmcTraits& traits = program->fleet.traits;
  EXPECT_EQ(traits.macs.at(bmc_nic_path(traits, 0, 0)), "52:54:00:77:00:01");
}

TEST(FleetProgram, CanBeSpreadOverAddresses) {
  const auto program =
      parse_fleet_program(Words{"--spread", "yes", "--host", "127.0.7.9", "--nics", "1"});
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->fleet.spread);
  EXPECT_EQ(program->fleet.traits.nics, 1U);
}

TEST(FleetProgram, SaysWhichWordIsWrong) {
  const auto why = [](const Words& words) {
    const auto program = parse_fleet_program(words);
    EXPECT_FALSE(program);
    return program ? std::string() : program.error().message;
  };
  EXPECT_EQ(why({"--count"}), "'--count' needs a value");
  EXPECT_EQ(why({"--count", "x"}), "--count: expected a whole number up to 15000, got 'x'");
  EXPECT_EQ(why({"--count", "0"}), "--count: expected at least 1, got '0'");
  EXPECT_EQ(why({"--port", "70000"}), "--port: expected a whole number up to 65535, got '70000'");
  EXPECT_EQ(why({"--stuck", "perhaps"}), "--stuck: expected yes or no, got 'perhaps'");
  EXPECT_EQ(why({"--nonsense", "1"}), "unknown option '--nonsense'");
  EXPECT_EQ(why({"--key", "k.pem"}), "--certificate and --key go together");
}

}  // namespace
}  // namespace drover::sim
