#include "api/bulk_result.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::api {
namespace {

Error missing(const std::string& node) {
  return {Code::not_found, fmt::format("there is no node '{}'", node), "",
          "drover node add " + node};
}

TEST(BulkResult, EqualOutcomesAreOne) {
  BulkResult result;
  for (int i = 1; i <= 8; ++i) result.done(fmt::format("n{}", i));
  result.failed("n10", {Code::conflict, "n10 is locked", "", ""});
  result.failed("n9", missing("n9"));
  result.failed("n11", missing("n11"));
  const BulkView view = result.view();
  ASSERT_EQ(view.results.size(), 3U);
  EXPECT_EQ(view.done, 8U);
  EXPECT_EQ(view.failed, 3U);
  EXPECT_EQ(view.results[0].nodes, "n[9,11]");
  EXPECT_EQ(view.results[0].status, 404);
  EXPECT_EQ(view.results[0].problem->detail, "there is no node '{node}'");
  EXPECT_EQ(view.results[0].problem->next, "drover node add {node}");
  EXPECT_EQ(view.results[1].nodes, "n10");
  EXPECT_EQ(view.results[1].problem->detail, "n10 is locked") << "one node is called by its name";
  EXPECT_EQ(view.results[2].nodes, "n[1-8]");
  EXPECT_EQ(view.results[2].count, 8U);
  EXPECT_FALSE(view.results[2].problem);
  EXPECT_EQ(http_status(view), 207);
}

TEST(BulkResult, OnlyTheWholeNameIsTheName) {
  BulkResult result;
  result.failed("n1", {Code::conflict, "n1 has the address of n17", "", ""});
  result.failed("n2", {Code::conflict, "n2 has the address of n17", "", ""});
  result.failed("n7", {Code::conflict, "n7 has the address of n7", "", ""});
  const BulkView view = result.view();
  ASSERT_EQ(view.results.size(), 2U);
  EXPECT_EQ(view.results[0].nodes, "n[1-2]");
  EXPECT_EQ(view.results[0].problem->detail, "{node} has the address of n17");
  EXPECT_EQ(view.results[1].problem->detail, "n7 has the address of n7");
}

TEST(BulkResult, TellsWhatWasSoAlready) {
  BulkResult result;
  result.unchanged("n1");
  result.done("n2");
  result.unchanged("n3");
  const BulkView view = result.view();
  ASSERT_EQ(view.results.size(), 2U);
  EXPECT_EQ(view.results[0].nodes, "n[1,3]");
  EXPECT_TRUE(view.results[0].unchanged);
  EXPECT_EQ(view.results[1].nodes, "n2");
  EXPECT_FALSE(view.results[1].unchanged);
  EXPECT_EQ(view.done, 3U);
  EXPECT_EQ(view.unchanged, 2U);
  EXPECT_EQ(http_status(view), 200);
}

TEST(BulkResult, NothingFailedIs200) {
  BulkResult result;
  EXPECT_EQ(http_status(result.view()), 200);
  result.done("n1", 201);
  EXPECT_EQ(
      encode(result.view(true)),
      R"({"results":[{"nodes":"n1","count":1,"status":201,"unchanged":false,"problem":null}],)"
      R"("done":1,"unchanged":0,"failed":0,"dry_run":true})");
}

}  // namespace
}  // namespace drover::api
