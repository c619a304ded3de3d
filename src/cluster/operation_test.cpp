#include "cluster/operation.hpp"

#include "cluster/memory_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

Operation operation_on(const std::string& nodes, uint64_t total) {
  Operation operation;
  operation.id = "0af7651916cd43dd8448eb211c80319c";
  operation.kind = "call";
  operation.nodes = nodes;
  operation.total = total;
  operation.master = "m1#1";
  return operation;
}
OperationGroup done(const std::string& nodes, const std::string& result) {
  return {OperationOutcome::done, nodes, 0, result, std::nullopt};
}

TEST(OperationTally, EachNodeEndsOnce) {
  Operation operation = operation_on("n[1-10]", 10);
  OperationTally tally(operation);
  tally.settle(done("n[1-3]", "a"));
  tally.settle(done("n[3-4],x9", "b"));  // n3 has ended, x9 is not ours
  tally.settle({OperationOutcome::unreached, "n5", 0, std::nullopt,
                OperationError{"unreachable", "no path"}});
  tally.settle(done("n6", "a"));
  EXPECT_EQ(tally.remaining(), (std::vector<std::string>{"n7", "n8", "n9", "n10"}));
  tally.store_in(operation);
  ASSERT_EQ(operation.groups.size(), 3U);
  EXPECT_EQ(operation.groups[0].outcome, OperationOutcome::unreached);
  EXPECT_EQ(operation.groups[1].nodes, "n[1-3,6]");
  EXPECT_EQ(operation.groups[2].nodes, "n4");
  EXPECT_EQ(operation.settled, 6U);
  EXPECT_EQ(operation.done, 5U);
  // What is stored is where another one begins.
  OperationTally taken_up(operation);
  EXPECT_EQ(taken_up.remaining(), tally.remaining());
  taken_up.settle_rest(OperationOutcome::interrupted, {"cancelled", "gone"});
  EXPECT_TRUE(taken_up.complete());
}

TEST(OperationTally, BadNamesAreLeftOut) {
  Operation operation = operation_on("n[1-2]", 2);
  OperationTally tally(operation);
  for (const char* bad : {"", "n[1-", "@group", "*", "n3"}) tally.settle(done(bad, "x"));
  EXPECT_EQ(tally.remaining().size(), 2U);
}

TEST(Operation, IsKeptSmallByMergingTheSmallestGroups) {
  Operation operation = operation_on("n[1-5000]", 5000);
  OperationTally tally(operation);
  tally.settle(done("n[1-1000]", "the same"));
  for (int i = 1001; i <= 4000; ++i) {
    tally.settle(done(fmt::format("n{}", i), fmt::format("{:0200}", i)));
  }
  tally.settle_rest(OperationOutcome::timed_out, {"timed-out", "no answer"});
  tally.store_in(operation);
  ASSERT_GT(encode(operation).size(), kMaxOperation);
  shrink(operation);
  EXPECT_LE(encode(operation).size(), kMaxOperation);
  EXPECT_EQ(operation.settled, 5000U);
  uint64_t counted = 0;
  for (const auto& group : operation.groups) counted += group.count;
  EXPECT_EQ(counted, 5000U) << "every node is still in a group";
  EXPECT_EQ(OperationTally(operation).remaining().size(), 0U);
}

TEST(Operation, IsCancelledOnceAndNotAfterItsEnd) {
  testing::MemoryTransaction tx;
  Operation operation = operation_on("n1", 1);
  ASSERT_TRUE(create_operation(tx, operation));
  EXPECT_EQ(create_operation(tx, operation).error().code, Code::already_exists);
  const auto cancelled = cancel_operation(tx, operation.id, "wrong nodes");
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->state, OperationState::cancelling);
  EXPECT_EQ(cancelled->why, "cancelled by test: wrong nodes");
  EXPECT_TRUE(cancel_operation(tx, operation.id, ""));
  EXPECT_EQ(cancel_operation(tx, "nope", "").error().code, Code::not_found);
  operation.state = OperationState::done;
  ASSERT_TRUE(tx.put(kOperationKind, operation.id, encode(operation)));
  EXPECT_EQ(cancel_operation(tx, operation.id, "").error().code, Code::conflict);
}

}  // namespace
}  // namespace drover::cluster
