#include "cluster/hardware/bmc_access.hpp"

#include "cluster/hardware/power_note.hpp"
#include "cluster/hardware/power_request.hpp"
#include "cluster/memory_store.hpp"
#include "cluster/mutations.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

BmcCredential credential(BmcScope scope, const std::string& name, const std::string& user) {
  return {scope, name, user, "v1.sealed", {}};
}

TEST(BmcAccess, TheNearestCredentialCounts) {
  const std::vector<BmcCredential> all{credential(BmcScope::bmc, "10.0.0.1", "own"),
                                       credential(BmcScope::everywhere, "default", "all"),
                                       credential(BmcScope::group, "rack1", "rack"),
                                       credential(BmcScope::group, "rack2", "other")};
  const auto chosen = [&](std::string_view address, const std::vector<std::string>& groups,
                          std::string_view user = "") {
    const auto* found = choose_bmc_credential(all, address, groups, user);
    return found != nullptr ? found->user : "none";
  };
  EXPECT_EQ(chosen("10.0.0.1", {"rack1"}), "own");
  EXPECT_EQ(chosen("10.0.0.2", {"none", "rack2", "rack1"}), "other");
  EXPECT_EQ(chosen("10.0.0.2", {}), "all");
  EXPECT_EQ(chosen("10.0.0.1", {"rack1"}, "rack"), "rack");
  EXPECT_EQ(chosen("10.0.0.1", {}, "nobody"), "none");
}

TEST(BmcAccess, KeepsAndForgetsCredentials) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(set_bmc_credential(tx, credential(BmcScope::everywhere, "default", "root")));
  ASSERT_TRUE(set_bmc_credential(tx, credential(BmcScope::bmc, "fd00::1", "admin")));
  EXPECT_TRUE(tx.changes.empty());  // in no log
  const auto all = bmc_credentials(tx);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(0).user, "admin");
  EXPECT_EQ(set_bmc_credential(tx, credential(BmcScope::group, "nowhere", "x")).error().code,
            Code::not_found);
  EXPECT_EQ(set_bmc_credential(tx, credential(BmcScope::bmc, "10.0.0.1/24", "x")).error().code,
            Code::invalid_argument);
  EXPECT_EQ(set_bmc_credential(tx, credential(BmcScope::everywhere, "x", "x")).error().code,
            Code::invalid_argument);
  EXPECT_EQ(set_bmc_credential(tx, credential(BmcScope::everywhere, "default", "")).error().code,
            Code::invalid_argument);
  EXPECT_TRUE(unset_bmc_credential(tx, BmcScope::bmc, "fd00::1"));
  EXPECT_EQ(unset_bmc_credential(tx, BmcScope::bmc, "fd00::1").error().code, Code::not_found);
}

TEST(BmcAccess, TheFirstKeyIsKeptUntilItIsForgotten) {
  testing::MemoryTransaction tx;
  EXPECT_EQ(known_bmc_key(tx, "10.0.0.1:443"), "");
  ASSERT_TRUE(note_bmc_key(tx, "10.0.0.1:443", "aa"));
  ASSERT_TRUE(note_bmc_key(tx, "10.0.0.1:443", "bb"));
  EXPECT_EQ(known_bmc_key(tx, "10.0.0.1:443"), "aa");
  EXPECT_TRUE(forget_bmc_key(tx, "10.0.0.1:443"));
  EXPECT_EQ(forget_bmc_key(tx, "10.0.0.1:443").error().code, Code::not_found);
}

TEST(PowerNote, PowerBringsThePhaseWithIt) {
  testing::MemoryTransaction tx;
  ASSERT_TRUE(ensure_node(tx, "n1", NodeRole::compute, "id", "test"));
  const auto note = [&](PowerState state) {
    const SeenPower seen[] = {{"n1", state}, {"gone", state}};
    return note_power(tx, seen, "its BMC says so");
  };
  EXPECT_EQ(note(PowerState::on), 1U);
  EXPECT_EQ(read_node(tx, "n1")->phase.state, PhaseState::unknown);  // it was on before, perhaps
  EXPECT_EQ(note(PowerState::on), 0U);
  EXPECT_EQ(note(PowerState::off), 1U);
  EXPECT_EQ(read_node(tx, "n1")->phase.state, PhaseState::off);
  EXPECT_EQ(read_node(tx, "n1")->power.why, "its BMC says so");
  EXPECT_EQ(note(PowerState::on), 1U);
  EXPECT_EQ(read_node(tx, "n1")->phase.state, PhaseState::powering);
}

TEST(PowerRequest, KeepsToItsBounds) {
  PowerRequest request;
  request.nodes = "n1";
  EXPECT_TRUE(check(request));
  request.per_second = 0;
  EXPECT_EQ(check(request).error().message, "per_second: expected 1 to 1000, got 0");
  request.per_second = 1;
  request.group_limits["rack1"] = 0;
  EXPECT_EQ(check(request).error().message, "group_limits.rack1: expected 1 to 10000, got 0");
  const auto read = decode_text<PowerRequest>(encode(PowerRequest{}));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, PowerRequest{});
  EXPECT_FALSE(decode_text<PowerRequest>(R"({"nodes":"n1","action":"explode"})"));
  EXPECT_FALSE(is_repeatable(PowerAction::cycle));
  EXPECT_TRUE(is_repeatable(PowerAction::on));
}

}  // namespace
}  // namespace drover::cluster
