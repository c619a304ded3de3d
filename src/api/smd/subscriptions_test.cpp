// SMD's subscriptions: their rules, and what is really sent when something changes.
#include "api/smd/notifier.hpp"
#include "api/test_master.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

const std::string kAll = "/Subscriptions/SCN";

/// Keeps what is posted, and answers as a test says.
class FakeWebhooks final : public Webhooks {
 public:
  explicit FakeWebhooks(Executor& executor) : executor_(executor) {}
  void post(const std::string& url, std::string body, Callback<void(Status)> done) override {
    posted.push_back({url, std::move(body)});
    Status answer;
    if (failures > 0) {
      --failures;
      answer = fail(Code::unreachable, "nobody is there");
    }
    executor_.post([done = std::move(done), answer]() mutable { done(answer); });
  }
  struct Post {
    std::string url, body;
  };
  std::vector<Post> posted;
  int failures = 0;

 private:
  Executor& executor_;
};

class SmdSubscriptions : public ::testing::Test {
 protected:
  SmdSubscriptions() {
    EXPECT_EQ(status("POST", "/State/Components",
                     R"({"Components":[{"ID":"x0c0s0b0n0","State":"On"},)"
                     R"({"ID":"x0c0s1b0n0","State":"On"},{"ID":"x0c0w1","State":"On"}]})"),
              204);
  }
  Recorded ask(const std::string& method, const std::string& at, const std::string& body = "",
               const auth::Principal& who = person("admin")) {
    return master.ask(method, "/hsm/v2" + at, body, {}, who);
  }
  int status(const std::string& method, const std::string& at, const std::string& body = "") {
    return ask(method, at, body).status;
  }
  void settle(std::chrono::seconds time = std::chrono::seconds(1)) {
    const auto until = master.process.executor().now() + time;
    master.world.run_until([&] { return master.process.executor().now() >= until; },
                           time + std::chrono::seconds(1));
  }
  std::vector<std::string> sent() {
    settle();
    std::vector<std::string> out;
    for (const auto& post : webhooks.posted) out.push_back(post.body);
    webhooks.posted.clear();
    return out;
  }
  using Bodies = std::vector<std::string>;
  TestMaster master;
  FakeWebhooks webhooks{master.process.executor()};
  smd::ScnNotifier notifier{master.process.executor(), *master.store, master.model,
                            master.process.log(), webhooks};
};

TEST_F(SmdSubscriptions, WhatIsMadeIsShownChangedAndRemoved) {
  const Recorded made =
      ask("POST", kAll,
          R"({"Subscriber":"hmfd@sms1","Enabled":true,"Roles":["compute"],"SubRoles":["worker"],)"
          R"("SoftwareStatus":["up"],"States":["on","Off"],"Url":"https://sms1:27000/scn"})");
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string one =
      R"({"ID":1,"Subscriber":"hmfd@sms1","Enabled":true,"Roles":["Compute"],"SubRoles":["Worker"],)"
      R"("SoftwareStatus":["up"],"States":["On","Off"],"Url":"https://sms1:27000/scn"})";
  EXPECT_EQ(made.body, one + "\n");
  EXPECT_EQ(ask("GET", kAll).body, R"({"SubscriptionList":[)" + one + "]}\n");
  EXPECT_EQ(ask("GET", kAll + "/1").body, one + "\n");
  EXPECT_EQ(status("PATCH", kAll + "/1", R"({"Op":"add","States":["Ready","on"]})"), 204);
  EXPECT_EQ(status("PATCH", kAll + "/1", R"({"Op":"remove","States":["off"],"Enabled":true})"),
            204);
  EXPECT_EQ(status("PATCH", kAll + "/1", R"({"Op":"replace","Roles":["Storage"]})"), 204);
  const std::string now = ask("GET", kAll + "/1").body;
  EXPECT_NE(now.find(R"("States":["On","Ready"])"), std::string::npos) << now;
  EXPECT_NE(now.find(R"("Roles":["Storage"])"), std::string::npos) << now;
  EXPECT_EQ(now.find("Enabled"), std::string::npos) << now;
  EXPECT_EQ(status("PUT", kAll + "/1", R"({"Subscriber":"a","Url":"http://a/","States":["On"]})"),
            204);
  EXPECT_EQ(ask("GET", kAll + "/1").body,
            R"({"ID":1,"Subscriber":"a","States":["On"],"Url":"http://a/"})"
            "\n");
  EXPECT_EQ(status("POST", kAll, R"({"Subscriber":"a","Url":"http://a/","States":["Off"]})"), 409);
  EXPECT_EQ(status("DELETE", kAll + "/1"), 200);
  EXPECT_EQ(status("DELETE", kAll + "/1"), 404);
  EXPECT_EQ(status("DELETE", kAll), 404);
}

TEST_F(SmdSubscriptions, WhatCannotBeIsRefused) {
  for (const char* body :
       {"{", "{}", R"({"Subscriber":"a","States":["On"]})", R"({"Url":"http://a","States":["On"]})",
        R"({"Subscriber":"a","Url":"gopher://a","States":["On"]})",
        R"({"Subscriber":"a","Url":"http:///scn","States":["On"]})",
        R"({"Subscriber":"a","Url":"http://a/s cn","States":["On"]})",
        R"({"Subscriber":"a","Url":"http://a:99999/","States":["On"]})",
        R"({"Subscriber":"a","Url":"http://a"})",
        R"({"Subscriber":"a","Url":"http://a","States":["FAKE"]})",
        R"({"Subscriber":"a","Url":"http://a","Roles":"Compute"})",
        R"({"Subscriber":"a\nb","Url":"http://a","States":["On"]})"}) {
    EXPECT_EQ(status("POST", kAll, body), 400) << body;
  }
  EXPECT_EQ(status("GET", kAll + "/7"), 404);
  EXPECT_EQ(status("PUT", kAll + "/7", "{}"), 404);
  EXPECT_EQ(status("PATCH", kAll + "/7", "{}"), 404);
  const char* good = R"({"Subscriber":"a","Url":"http://a","States":["On"]})";
  EXPECT_EQ(ask("POST", kAll, good, person("operator")).status, 403);  // the master would call it
  ASSERT_EQ(status("POST", kAll, good), 200);
  EXPECT_EQ(status("PATCH", kAll + "/1", R"({"Op":"FAKE"})"), 400);
  EXPECT_EQ(status("PATCH", kAll + "/1", R"({"Op":"add","States":["FAKE"]})"), 400);
  EXPECT_EQ(status("PUT", kAll + "/1", "{}"), 400);
}

TEST(WebhookUrls, LeadToHostPortAndPath) {
  const auto plain = parse_webhook_url("http://hmfd/scn?x=1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->endpoint.text(), "hmfd:80");
  EXPECT_EQ(plain->path, "/scn?x=1");
  EXPECT_FALSE(plain->secure);
  const auto secure = parse_webhook_url("https://[::1]:8443");
  ASSERT_TRUE(secure);
  EXPECT_EQ(secure->endpoint.text(), "[::1]:8443");
  EXPECT_EQ(secure->path, "/");
  EXPECT_TRUE(secure->secure);
  EXPECT_EQ(parse_webhook_url("https://a?b")->path, "/?b");
  for (const char* url : {"", "a", "ftp://a/", "http://", "https://:1/", "http://a:b/",
                          "http://a b/", "http://a/\x7f", "http://\xc3\xa9/"}) {
    EXPECT_FALSE(parse_webhook_url(url)) << url;
  }
}

TEST_F(SmdSubscriptions, ChangesAreToldTogether) {
  ASSERT_EQ(status("POST", kAll,
                   R"({"Subscriber":"a","Url":"http://a/scn","States":["Off"],"Enabled":true,)"
                   R"("Roles":["Storage"],"SoftwareStatus":["down"]})"),
            200);
  EXPECT_EQ(sent(), Bodies{});
  ASSERT_EQ(status("PATCH", "/State/Components/BulkStateData",
                   R"({"ComponentIDs":["x0c0s0b0n0","x0c0s1b0n0","x0c0w1"],"State":"Off"})"),
            204);
  EXPECT_EQ(sent(), Bodies{R"({"Components":["x0c0s0b0n0","x0c0s1b0n0","x0c0w1"],)"
                           R"("Flag":"OK","State":"Off"})"});
  ASSERT_EQ(status("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"On"})"), 204);
  EXPECT_EQ(sent(), Bodies{});  // not asked for
  ASSERT_EQ(status("PATCH", "/State/Components/x0c0s0b0n0/Enabled", R"({"Enabled":false})"), 204);
  EXPECT_EQ(sent(), Bodies{R"({"Components":["x0c0s0b0n0"],"Enabled":false})"});
  ASSERT_EQ(status("PATCH", "/State/Components/x0c0s0b0n0/Role", R"({"Role":"Storage"})"), 204);
  EXPECT_EQ(sent(), Bodies{R"({"Components":["x0c0s0b0n0"],"Role":"Storage"})"});
  ASSERT_EQ(
      status("PATCH", "/State/Components/x0c0w1/SoftwareStatus", R"({"SoftwareStatus":"down"})"),
      204);
  EXPECT_EQ(sent(), Bodies{R"({"Components":["x0c0w1"],"SoftwareStatus":"down"})"});
}

TEST_F(SmdSubscriptions, TheStateFollowsTheNodeItself) {
  ASSERT_EQ(status("POST", kAll, R"({"Subscriber":"a","Url":"http://a/scn","States":["Ready"]})"),
            200);
  ASSERT_TRUE(master.write([](store::Transaction& tx) -> Status {
    DROVER_TRY(cluster::Node node, cluster::read_node(tx, "x0c0s0b0n0"));
    node.phase.state = cluster::PhaseState::up;  // as liveness writes it
    DROVER_CHECK_OK(cluster::write_node(tx, node));
    return {};
  }));
  EXPECT_EQ(sent(), Bodies{R"({"Components":["x0c0s0b0n0"],"Flag":"OK","State":"Ready"})"});
}

TEST_F(SmdSubscriptions, WhoDoesNotAnswerIsTriedAgainInOrder) {
  ASSERT_EQ(
      status("POST", kAll, R"({"Subscriber":"a","Url":"http://a/scn","States":["Off","On"]})"),
      200);
  webhooks.failures = 2;
  for (const char* state : {R"({"State":"Off"})", R"({"State":"On"})"}) {
    ASSERT_EQ(status("PATCH", "/State/Components/x0c0s0b0n0/StateData", state), 204);
  }
  settle(std::chrono::seconds(10));
  const auto bodies = sent();
  ASSERT_EQ(bodies.size(), 4U);
  EXPECT_EQ(bodies[0], bodies[1]);
  EXPECT_EQ(bodies[1], bodies[2]);
  EXPECT_NE(bodies[2].find(R"("State":"Off")"), std::string::npos);
  EXPECT_NE(bodies[3].find(R"("State":"On")"), std::string::npos);
  // And given up at last, so that others go through.
  webhooks.failures = 5;
  ASSERT_EQ(status("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"Off"})"), 204);
  settle(std::chrono::seconds(60));
  EXPECT_EQ(sent().size(), 5U);
  ASSERT_EQ(status("PATCH", "/State/Components/x0c0s0b0n0/StateData", R"({"State":"On"})"), 204);
  EXPECT_EQ(sent().size(), 1U);
}

}  // namespace
}  // namespace drover::api
