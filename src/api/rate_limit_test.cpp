#include "api/rate_limit.hpp"

#include "api/test_master.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RateLimiter, GivesABurstAndThenItsRate) {
  RateLimiter limiter;
  limiter.set({10, 3});
  MonoTime now{seconds(100)};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", now), Duration::zero());
  EXPECT_EQ(limiter.take("a", now), milliseconds(100));
  EXPECT_EQ(limiter.take("b", now), Duration::zero()) << "each client has its own";
  now += milliseconds(100);
  EXPECT_EQ(limiter.take("a", now), Duration::zero());
  EXPECT_GT(limiter.take("a", now), Duration::zero());
  now += seconds(60);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take("a", now), Duration::zero());
  EXPECT_GT(limiter.take("a", now), Duration::zero()) << "a pause saves up no more than a burst";
}

TEST(RateLimiter, HoldsABoundedNumberOfClients) {
  RateLimiter limiter;
  limiter.set({1, 2});
  for (int i = 0; i < 25'000; ++i) {
    EXPECT_EQ(limiter.take(fmt::format("c{}", i), MonoTime{milliseconds(i)}), Duration::zero());
  }
  EXPECT_LE(limiter.clients(), RateLimiter::kMostClients);
  EXPECT_EQ(seconds_up(milliseconds(1)), 1);
  EXPECT_EQ(seconds_up(milliseconds(1001)), 2);
}

TEST(RateLimit, IsForClientsAndNotForTheLocalAdministrator) {
  testing::TestMaster master;
  master.api->limit_rate({1, 2});
  EXPECT_EQ(master.get("/api/v1/nodes").status, 200);
  EXPECT_EQ(master.get("/api/v1/nodes").status, 200);
  const auto refused = master.get("/api/v1/nodes");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  EXPECT_NE(refused.body.find("person:alice asks too often"), std::string::npos) << refused.body;
  EXPECT_EQ(master.get("/api/v1/nodes", testing::person("viewer", "bob")).status, 200);
  auth::Principal root;
  root.kind = auth::PrincipalKind::local_user;
  root.role = "master";
  auth::Principal daemon;
  daemon.kind = auth::PrincipalKind::daemon;
  daemon.role = "compute";
  daemon.name = "n1";
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(master.get("/api/v1/nodes", root).status, 200);
    EXPECT_EQ(master.get("/api/v1/nodes", daemon).status, 200);
  }
  ASSERT_TRUE(master.world.run_for(seconds(2)));
  EXPECT_EQ(master.get("/api/v1/nodes").status, 200);
}

}  // namespace
}  // namespace drover::api
