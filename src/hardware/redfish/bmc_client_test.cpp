// The client of one BMC: signing in, limits, back-off, certificates.
#include "hardware/redfish/bmc_client.hpp"

#include "hardware/redfish/bmc_test_ground.hpp"
#include "sim/sim_security.hpp"

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSystems = "/redfish/v1/Systems";

class BmcClientTest : public testing::BmcGroundTest {};

TEST_F(BmcClientTest, SignsInOnceAndStaysIn) {
  auto& server = add_bmc();
  BmcClient client(ground_, access());
  for (int i = 0; i < 5; ++i) {
    const auto answer = get(client, kSystems);
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->status, 200);
  }
  EXPECT_EQ(client.sent(), 7U);  // the root and the sign-in before them
  EXPECT_EQ(server.bmc().door().sessions(), 1U);
  bool out = false;
  client.sign_out([&] { out = true; });
  ASSERT_TRUE(world_.run_until([&] { return out; }, 1min));
  EXPECT_EQ(server.bmc().door().sessions(), 0U);
  EXPECT_EQ(ground_.in_flight(), 0U);
}

TEST_F(BmcClientTest, WithoutSessionsItUsesThePasswordEachTime) {
  sim::BmcTraits traits;
  traits.sessions = false;
  auto& server = add_bmc(traits);
  BmcClient client(ground_, access());
  EXPECT_EQ(get(client, kSystems)->status, 200);
  EXPECT_EQ(server.bmc().door().wrong_passwords(), 0U);
}

TEST_F(BmcClientTest, ARefusedPasswordIsTriedOnce) {
  for (const bool sessions : {true, false}) {
    sim::BmcTraits traits;
    traits.sessions = sessions;
    traits.lock_out_after = 2;
    auto& server = add_bmc(traits);
    const size_t index = bmcs_.size() - 1;
    BmcAccess wrong = access(index);
    wrong.password = "guess";
    {
      BmcClient client(ground_, wrong);
      size_t refused = 0;
      for (int i = 0; i < 10; ++i) {  // at once
        BmcRequest request;
        request.target = kSystems;
        client.send(std::move(request), [&](const Result<BmcAnswer>& got) {
          ASSERT_FALSE(got);
          EXPECT_EQ(got.error().code, Code::unauthenticated);
          EXPECT_EQ(got.error().message.find("guess"), std::string::npos);
          ++refused;
        });
      }
      ASSERT_TRUE(world_.run_until([&] { return refused == 10; }, 1min));
    }
    EXPECT_EQ(server.bmc().door().wrong_passwords(), 1U);
    // Nor does the next client try it, nor is the account locked for the right one.
    BmcClient again(ground_, wrong);
    EXPECT_EQ(get(again, kSystems).error().code, Code::unauthenticated);
    EXPECT_EQ(server.bmc().door().wrong_passwords(), 1U);
    BmcClient right(ground_, access(index));
    EXPECT_EQ(get(right, kSystems)->status, 200);
  }
}

TEST_F(BmcClientTest, ASessionThatEndedIsOpenedAgain) {
  auto& server = add_bmc();
  BmcClient client(ground_, access());
  ASSERT_EQ(get(client, kSystems)->status, 200);
  server.bmc().door().forget_sessions();
  const auto answer = get(client, kSystems);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(server.bmc().door().wrong_passwords(), 0U);
}

TEST_F(BmcClientTest, NoMoreThanTheLimitAreUnderWay) {
  sim::BmcTraits traits;
  traits.latency = 100ms;
  add_bmc(traits);
  BmcClient client(ground_, access());
  ASSERT_TRUE(get(client, kSystems));
  const Duration begin = world_.now();
  size_t done = 0;
  for (int i = 0; i < 10; ++i) {
    BmcRequest request;
    request.target = kSystems;
    client.send(std::move(request), [&](const Result<BmcAnswer>&) { ++done; });
  }
  ASSERT_TRUE(world_.run_until([&] { return done == 10; }, 1min));
  EXPECT_GE(world_.now() - begin, 500ms);  // two at a time
  EXPECT_LT(world_.now() - begin, 700ms);
}

TEST_F(BmcClientTest, TheGroundsLimitHoldsForAllTogetherAndIsFair) {
  BmcGround small(near_.executor(), near_net_, near_.random(), 3);
  sim::BmcTraits traits;
  traits.latency = 100ms;
  std::vector<std::unique_ptr<BmcClient>> clients;
  size_t done = 0;
  size_t most = 0;
  for (size_t i = 0; i < 10; ++i) {
    add_bmc(traits);
    clients.push_back(std::make_unique<BmcClient>(small, access(i)));
    for (int k = 0; k < 3; ++k) {
      BmcRequest request;
      request.target = "/redfish/v1/";
      request.open = true;
      clients.back()->send(std::move(request), [&](const Result<BmcAnswer>& got) {
        EXPECT_TRUE(got);
        ++done;
      });
    }
  }
  clients[4].reset();  // one that waits goes away
  ASSERT_TRUE(world_.run_until(
      [&] {
        most = std::max(most, small.in_flight());
        return done == 27;
      },
      1min));
  EXPECT_EQ(most, 3U);
  clients.clear();
  EXPECT_EQ(small.in_flight(), 0U);
}

TEST_F(BmcClientTest, BusyAnswersAreWaitedOut) {
  sim::BmcTraits traits;
  traits.busy_answers = 2;
  add_bmc(traits);
  BmcClient client(ground_, access());
  const Duration begin = world_.now();
  EXPECT_EQ(get(client, kSystems)->status, 200);
  EXPECT_GE(world_.now() - begin, 2s);  // Retry-After twice
}

TEST_F(BmcClientTest, ADeadBmcIsGivenUpForAllThatWait) {
  add_bmc();
  BmcAccess nobody = access();
  nobody.at.port = 1;
  BmcClient client(ground_, nobody);
  size_t done = 0;
  for (int i = 0; i < 100; ++i) {
    BmcRequest request;
    request.target = kSystems;
    client.send(std::move(request), [&](const Result<BmcAnswer>& got) {
      EXPECT_FALSE(got);
      ++done;
    });
  }
  ASSERT_TRUE(world_.run_until([&] { return done == 100; }, 1min));
  EXPECT_LT(client.sent(), 20U);
}

TEST_F(BmcClientTest, WhatChangesThingsIsNotRepeated) {
  auto& server = add_bmc();
  BmcClient client(ground_, access());
  ASSERT_TRUE(get(client, kSystems));
  server.bmc().edit_traits().hostility = sim::BmcHostility::cut;
  BmcRequest reset;
  reset.method = "POST";
  reset.target = "/redfish/v1/Systems/Node0/Actions/ComputerSystem.Reset";
  reset.body = R"({"ResetType":"On"})";
  EXPECT_FALSE(ask(client, std::move(reset)));
  EXPECT_EQ(server.bmc().counts().resets, 1U);
}

TEST_F(BmcClientTest, AnotherCertificateIsToldNothing) {
  std::string name = "bmc-1";
  const auto show = [&] {
    net::SecurityConfig config;
    config.certificate_pem = sim::sim_certificate(name, world_.wall() + 1h, "self");
    config.verify_peer = false;
    return far_net_.make_security(config).value();
  };
  auto& server = add_bmc({}, show);
  net::SecurityConfig any;
  any.any_certificate = true;
  BmcAccess tls = access();
  tls.security = near_net_.make_security(any).value();
  std::string key;
  {
    BmcClient client(ground_, tls);
    ASSERT_TRUE(get(client, kSystems));
    key = client.seen_key();
    EXPECT_EQ(key, sim::sim_key_digest("bmc-1", "self"));
  }
  tls.pinned_key = key;
  BmcClient pinned(ground_, tls);
  ASSERT_TRUE(get(pinned, kSystems));
  name = "somebody-else";
  const uint64_t before = server.bmc().counts().requests;
  BmcClient later(ground_, tls);
  const auto refused = get(later, kSystems);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
  EXPECT_NE(refused.error().message.find("nothing was sent"), std::string::npos);
  EXPECT_EQ(server.bmc().counts().requests, before);
}

TEST_F(BmcClientTest, DestroyedInTheMiddleItTellsNothing) {
  sim::BmcTraits traits;
  traits.latency = 100ms;
  add_bmc(traits);
  auto client = std::make_unique<BmcClient>(ground_, access());
  for (int i = 0; i < 5; ++i) {
    BmcRequest request;
    request.target = kSystems;
    client->send(std::move(request), [](const Result<BmcAnswer>&) { FAIL(); });
  }
  ASSERT_TRUE(world_.run_for(150ms));
  client.reset();
  ASSERT_TRUE(world_.run_for(10s));
  EXPECT_EQ(ground_.in_flight(), 0U);
}

}  // namespace
}  // namespace drover::hardware
