// Operations from request to end: run, wait, cancel, die and be taken up.
#include "api/test_master.hpp"
#include "base/json_values.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using std::chrono::seconds;
using testing::person;
using testing::TestMaster;

json::value parsed(const testing::Recorded& answer) {
  auto value = parse_json(answer.body);
  EXPECT_TRUE(value) << answer.body;
  return value ? *value : json::value();
}
std::string text(const json::value& value, std::string_view name) {
  return std::string(value.at(name).as_string());
}

tree::CallReport answered(const tree::CallSpec& spec, const std::string& nodes, size_t count) {
  tree::CallReport report;
  report.id = spec.id;
  report.groups.push_back({tree::Outcome::done, nodes, count, "pong", {}});
  report.totals.counts = {count, 0, 0, 0};
  report.targets = spec.targets.size();
  return report;
}

class Operations : public ::testing::Test {
 protected:
  Operations() {
    for (int i = 1; i <= 4; ++i) master.add_node(fmt::format("n{}", i));
  }
  std::string start(const net::HttpHeaders& more = {}, int timeout_ms = 60'000) {
    net::HttpHeaders headers = more;
    headers.add("Prefer", "respond-async");
    const auto answer = master.ask(
        "POST", "/api/v1/calls",
        fmt::format(R"({{"method":"ping","nodes":"n[1-4]","timeout_ms":{}}})", timeout_ms), headers,
        person("operator"));
    EXPECT_EQ(answer.status, 202) << answer.body;
    const std::string id = text(parsed(answer), "id");
    EXPECT_EQ(answer.headers.get("Location"), "/api/v1/operations/" + id);
    return id;
  }
  void wait_started(size_t calls = 1) {
    EXPECT_TRUE(
        master.world.run_until([&] { return master.calls.started.size() >= calls; }, seconds(5)));
  }
  json::value show(const std::string& id) { return parsed(master.get("/api/v1/operations/" + id)); }
  json::value ended(const std::string& id) {
    return parsed(master.get(fmt::format("/api/v1/operations/{}?wait=60", id)));
  }

  TestMaster master;
};

TEST_F(Operations, RunOnTheirOwnAndShowTheirProgress) {
  const std::string id = start();
  wait_started();
  EXPECT_EQ(master.calls.started[0].id, id);
  EXPECT_EQ(master.calls.started[0].targets.size(), 4U);
  EXPECT_EQ(text(show(id), "state"), "running");
  EXPECT_EQ(show(id).at("settled"), 0);
  master.calls.progress[0](answered(master.calls.started[0], "n[1-2]", 2));
  EXPECT_EQ(show(id).at("settled"), 2) << "at once, before it is saved";
  const auto waiting = master.send(
      {"GET", fmt::format("/api/v1/operations/{}?wait=60", id), {}, "", {}}, person("viewer"));
  ASSERT_TRUE(master.world.run_for(seconds(2)));
  EXPECT_FALSE(waiting->complete);
  master.calls.pending[0](answered(master.calls.started[0], "n[1-4]", 4));
  ASSERT_TRUE(master.world.run_until([&] { return waiting->complete; }, seconds(5)));
  const auto done = parsed(*waiting);
  EXPECT_EQ(text(done, "state"), "done");
  EXPECT_EQ(done.at("done"), 4);
  EXPECT_FALSE(done.at("finished").is_null());
  EXPECT_EQ(text(done.at("groups").at(0), "nodes"), "n[1-4]");
  EXPECT_EQ(text(done.at("groups").at(0), "result"), "pong");
  EXPECT_EQ(text(done, "who"), "person:alice");
}

TEST_F(Operations, TheSameKeyMakesOne) {
  const net::HttpHeaders key{{"Idempotency-Key", "k1"}};
  const std::string id = start(key);
  EXPECT_EQ(start(key), id);
  ASSERT_TRUE(master.world.run_for(seconds(3)));
  EXPECT_EQ(master.calls.started.size(), 1U);
}

TEST_F(Operations, AWaitEndsInItsTime) {
  const std::string id = start();
  const auto still = parsed(master.get(fmt::format("/api/v1/operations/{}?wait=2", id)));
  EXPECT_EQ(text(still, "state"), "running");
  EXPECT_EQ(master.get(fmt::format("/api/v1/operations/{}?wait=301", id)).status, 400);
  EXPECT_EQ(master.get("/api/v1/operations/nope").status, 404);
}

TEST_F(Operations, AreCancelledAndKeepWhatIsDone) {
  const std::string id = start();
  wait_started();
  master.calls.progress[0](answered(master.calls.started[0], "n1", 1));
  EXPECT_EQ(master.ask("DELETE", "/api/v1/operations/" + id, "", {}, person("viewer")).status, 403);
  const auto cancelled = master.ask("DELETE", "/api/v1/operations/" + id + "?why=wrong+nodes", "",
                                    {}, person("operator", "bob"));
  ASSERT_EQ(cancelled.status, 200) << cancelled.body;
  EXPECT_EQ(text(parsed(cancelled), "state"), "cancelling");
  ASSERT_TRUE(master.world.run_until([&] { return !master.calls.cancelled.empty(); }, seconds(5)));
  EXPECT_EQ(master.calls.cancelled[0], id);
  master.calls.pending[0](answered(master.calls.started[0], "n1", 1));
  const auto end = ended(id);
  EXPECT_EQ(text(end, "state"), "cancelled");
  EXPECT_EQ(text(end, "why"), "cancelled by person:bob: wrong nodes");
  EXPECT_EQ(end.at("done"), 1);
  EXPECT_EQ(end.at("settled"), 4);
  EXPECT_EQ(text(end.at("groups").at(0), "outcome"), "cancelled");
  EXPECT_EQ(master.ask("DELETE", "/api/v1/operations/" + id).status, 409);
}

TEST_F(Operations, OneThatWaitsForItsTurnStartsLater) {
  master.calls.refuse = Error{Code::exhausted, "256 calls run already", {}, {}};
  const std::string id = start();
  ASSERT_TRUE(master.world.run_for(seconds(3)));
  EXPECT_EQ(text(show(id), "state"), "running");
  master.calls.refuse.reset();
  wait_started();
  master.calls.pending[0](answered(master.calls.started[0], "n[1-4]", 4));
  EXPECT_EQ(text(ended(id), "state"), "done");
}

TEST_F(Operations, AreListedAndFiltered) {
  const std::string id = start();
  wait_started();
  EXPECT_EQ(parsed(master.get("/api/v1/operations?state=unfinished")).at("items").as_array().size(),
            1U);
  EXPECT_EQ(parsed(master.get("/api/v1/operations?state=done")).at("items").as_array().size(), 0U);
  EXPECT_EQ(parsed(master.get("/api/v1/operations?kind=call&fields=id")).at("items").at(0),
            (json::value{{"id", id}}));
  EXPECT_EQ(master.get("/api/v1/operations?state=x").status, 400);
}

/// The store as it was, and a master that starts on it.
TEST_F(Operations, AreTakenUpByTheNextMasterUnderTheSameId) {
  const std::string id = start();
  wait_started();
  master.calls.progress[0](answered(master.calls.started[0], "n[1-3]", 3));
  ASSERT_TRUE(master.world.run_for(seconds(2)));  // it is saved
  master.restart();
  wait_started(2);
  EXPECT_EQ(master.calls.started[1].id, id);
  EXPECT_EQ(master.calls.started[1].targets, (std::vector<std::string>{"n4"}))
      << "nobody is asked again who has answered";
  EXPECT_LE(master.calls.started[1].budget, seconds(59)) << "its time goes on";
  master.calls.pending[1](answered(master.calls.started[1], "n4", 1));
  const auto end = ended(id);
  EXPECT_EQ(text(end, "state"), "done");
  EXPECT_EQ(end.at("taken_up"), 1);
  EXPECT_EQ(end.at("done"), 4);
  EXPECT_EQ(text(end, "master"), "m1#2");
}

TEST_F(Operations, OneWhoseTimeIsOverIsInterrupted) {
  const std::string id = start({}, 3000);
  wait_started();
  master.calls.progress[0](answered(master.calls.started[0], "n[1-3]", 3));
  ASSERT_TRUE(master.world.run_for(seconds(2)));
  master.api.reset();
  ASSERT_TRUE(master.world.run_for(seconds(5)));
  master.restart();
  const auto end = ended(id);
  EXPECT_EQ(text(end, "state"), "interrupted");
  EXPECT_EQ(end.at("done"), 3);
  EXPECT_EQ(text(end.at("groups").at(0), "outcome"), "interrupted");
  EXPECT_EQ(text(end.at("groups").at(0), "nodes"), "n4");
  EXPECT_EQ(master.calls.started.size(), 1U);
}

TEST_F(Operations, AClockThatIsSetBackGivesNoMoreTimeThanWasAskedFor) {
  const std::string id = start();
  wait_started();
  master.api.reset();
  master.process.jump_clock(-std::chrono::hours(1));
  master.restart();
  wait_started(2);
  EXPECT_EQ(master.calls.started[1].id, id);
  EXPECT_LE(master.calls.started[1].budget, seconds(60));
}

TEST_F(Operations, OfAKindThatNobodyKnowsEndAsInterrupted) {
  cluster::Operation strange;
  strange.id = "00000000000000000000000000000001";
  strange.kind = "teleport";
  strange.nodes = "n[1-2]";
  strange.total = 2;
  strange.master = "m0#7";
  ASSERT_TRUE(
      master.write([&](store::Transaction& tx) { return cluster::create_operation(tx, strange); }));
  master.restart();
  const auto end = ended(strange.id);
  EXPECT_EQ(text(end, "state"), "interrupted");
  EXPECT_EQ(text(end, "why"), "m0#7 ended while it ran; it cannot be taken up");
  EXPECT_EQ(end.at("settled"), 2);
}

TEST_F(Operations, EndedOnesAreForgottenInTime) {
  const std::string id = start();
  wait_started();
  master.calls.pending[0](answered(master.calls.started[0], "n[1-4]", 4));
  EXPECT_EQ(text(ended(id), "state"), "done");
  ASSERT_TRUE(master.world.run_for(std::chrono::hours(24 * 29)));
  EXPECT_EQ(master.get("/api/v1/operations/" + id).status, 200);
  ASSERT_TRUE(master.world.run_for(std::chrono::hours(26)));
  EXPECT_EQ(master.get("/api/v1/operations/" + id).status, 404);
}

TEST_F(Operations, StreamedCallsTellOutcomesAsTheyCome) {
  const auto stream = master.send({"POST",
                                   "/api/v1/calls",
                                   {{"Accept", "application/jsonl"}},
                                   R"({"method":"ping","nodes":"n[1-4]","timeout_ms":60000})",
                                   {}},
                                  person("operator"));
  ASSERT_EQ(master.calls.started.size(), 1U);
  EXPECT_EQ(stream->status, 200);
  EXPECT_EQ(stream->headers.get("Content-Type"), "application/jsonl");
  master.calls.progress[0](answered(master.calls.started[0], "n[1-3]", 3));
  EXPECT_NE(stream->body.find(R"("nodes":"n[1-3]","count":3,"result":"pong")"), std::string::npos)
      << stream->body;
  EXPECT_FALSE(stream->complete);
  ASSERT_TRUE(master.world.run_for(seconds(11)));
  EXPECT_NE(stream->body.find(R"("group":null)"), std::string::npos) << "it shows that it lives";
  auto rest = answered(master.calls.started[0], "n4", 1);
  rest.totals.counts = {4, 0, 0, 0};
  master.calls.progress[0](rest);
  master.calls.pending[0](answered(master.calls.started[0], "n[1-4]", 4));
  EXPECT_TRUE(stream->complete);
  EXPECT_TRUE(stream->body.ends_with(R"("totals":{"done":4},"targets":4,"end":true})"
                                     "\n"))
      << stream->body;
}

TEST_F(Operations, ACommandedRebootIsThePhaseOfTheNodesThatTookIt) {
  const std::string body =
      R"({"method":"power.reboot","nodes":"n[1-4]","timeout_ms":60000,"why":"new kernel"})";
  const auto phase = [this](const std::string& node) {
    return master.model.find(node)->node().phase;
  };
  const auto reboots = [&](const std::string& node) {
    return phase(node).state == cluster::PhaseState::rebooting;
  };
  const net::HttpHeaders lines{{"Accept", "application/jsonl"}};
  const auto stream = master.send({"POST", "/api/v1/calls", lines, body, {}}, person("operator"));
  wait_started();
  master.calls.progress[0](answered(master.calls.started[0], "n1", 1));
  ASSERT_TRUE(master.world.run_until([&] { return reboots("n1"); }, seconds(1)));
  EXPECT_EQ(phase("n1").why, "reboot was asked for: new kernel");
  EXPECT_EQ(phase("n1").who, person("operator").text());
  EXPECT_FALSE(reboots("n2")) << "it has not answered";
  master.calls.pending[0](answered(master.calls.started[0], "n1", 1));

  // In one piece, and on its own.
  const auto whole = master.send({"POST", "/api/v1/calls", {}, body, {}}, person("operator"));
  wait_started(2);
  master.calls.pending[1](answered(master.calls.started[1], "n2", 1));
  ASSERT_TRUE(master.world.run_until([&] { return reboots("n2"); }, seconds(1)));
  const net::HttpHeaders alone{{"Prefer", "respond-async"}};
  const auto operation =
      master.send({"POST", "/api/v1/calls", alone, body, {}}, person("operator"));
  wait_started(3);
  master.calls.pending[2](answered(master.calls.started[2], "n3", 1));
  ASSERT_TRUE(master.world.run_until([&] { return reboots("n3"); }, seconds(1)));
  EXPECT_EQ(phase("n3").why, "reboot was asked for: new kernel");
  EXPECT_FALSE(reboots("n4"));
}

TEST_F(Operations, AStreamThatNobodyReadsStopsItsCall) {
  const auto stream = master.send({"POST",
                                   "/api/v1/calls",
                                   {{"Accept", "text/event-stream"}},
                                   R"({"method":"ping","nodes":"n[1-4]","timeout_ms":60000})",
                                   {}},
                                  person("operator"));
  ASSERT_TRUE(stream->gone);
  stream->gone();
  EXPECT_EQ(master.calls.cancelled.size(), 1U);
  master.calls.pending[0](answered(master.calls.started[0], "n[1-4]", 4));
  EXPECT_FALSE(stream->complete);
}

}  // namespace
}  // namespace drover::api
