// drover discover: what is asked, what is shown while it runs and at its end, what is refused.
#include "base/json_values.hpp"
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

std::string scan_operation(const std::string& state, const std::string& groups) {
  return R"({"id":"s1","kind":"scan","state":")" + state +
         R"(","settled":3,"total":6,"done":3,"groups":)" + groups + "}";
}

constexpr const char* kGroups =
    R"x([{"outcome":"done","nodes":"10.0.0.[4-6]","count":3,"result":"no BMC (no answer)","error":null},)x"
    R"({"outcome":"done","nodes":"10.0.0.[1-2]","count":2,"result":"Redfish 1.15.0 at port 443","error":null}])";

const Answers& scans() {
  static const Answers answers{
      {"POST /api/v1/discover/scan", json_response(scan_operation("running", "[]"), 202)},
      {"GET /api/v1/operations/s1", json_response(scan_operation("done", kGroups))}};
  return answers;
}

TEST(DiscoverCommands, AScanAsksWhatWasSaidAndShowsWhatItFound) {
  TestDaemon daemon(from_table(scans()));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"discover", "scan", "10.0.0.0/29", "--ports", "443,8443", "--no-ipmi",
                          "--patience", "500", "--fresh", "--why", "May"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "10.0.0.[1-2]: Redfish 1.15.0 at port 443\n3 addresses: no BMC (no answer)\n");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(daemon.requests().front(),
            R"(POST /api/v1/discover/scan {"networks":["10.0.0.0/29"],"ports":[443,8443],)"
            R"("patience_ms":500,"ipmi":false,"fresh":true,"why":"May"})");
}

TEST(DiscoverCommands, AScanShowsHowFarItIsOnATerminal) {
  int looks = 0;
  TestDaemon daemon([&looks](const net::HttpRequest& request, const auto& exchange) {
    const bool started = request.method == "POST";
    const bool running = started || ++looks < 2;
    exchange->respond(
        json_response(scan_operation(running ? "running" : "done", kGroups), started ? 202 : 200));
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  drover.terminal = true;
  const Ran ran = drover({"discover", "scan", "10.0.0.0/29"});
  EXPECT_NE(ran.err.find("3 of 6 addresses asked, 2 BMCs found"), std::string::npos) << ran.err;
  EXPECT_TRUE(ran.err.ends_with("\x1b[K"));  // wiped out at the end
}

TEST(DiscoverCommands, ADryRunShowsThePlan) {
  const Ran ran =
      run_against({{"POST /api/v1/discover/scan",
                    json_response(R"({"addresses":6,"known":1,"asks":"10.0.0.[2-6]","seconds":4,)"
                                  R"("questions":["GET /redfish/v1/ by HTTPS at port 443"]})")}},
                  {"discover", "scan", "10.0.0.0/29", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "would ask 10.0.0.[2-6]\n6 addresses, 1 of them known; about 4 s at most\n"
            "  GET /redfish/v1/ by HTTPS at port 443\n");
}

constexpr const char* kAdopted =
    R"({"rows":[{"action":"create","node":"n1","bmc":"10.0.0.1","system":"","serial":"S1",)"
    R"("changes":["eth0.mac: 02:00:00:00:00:01"],"warnings":["NIC2 has no MAC that is valid"],"problem":""},)"
    R"({"action":"keep","node":"n2","bmc":"10.0.0.2","system":"","serial":"S2","changes":[],"warnings":[],"problem":""},)"
    R"({"action":"skip","node":"","bmc":"10.0.0.3","system":"","serial":"","changes":[],"warnings":[],)"
    R"("problem":"there is no machine behind it"}],)"
    R"("created":1,"changed":0,"replaced":0,"kept":1,"skipped":1})";

TEST(DiscoverCommands, AdoptShowsWhatBecomesOfEachMachine) {
  TestDaemon daemon(from_table({{"POST /api/v1/discover/adopt", json_response(kAdopted)}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"discover", "adopt", "n[1-8]", "--network", "mgmt", "--bmcs",
                          "10.0.0.0/24", "--group", "rack1", "--yes"});
  EXPECT_EQ(ran.code, 1);  // not every machine has become a node
  EXPECT_NE(ran.out.find("eth0.mac: 02:00:00:00:00:01; warning: NIC2 has no MAC that is valid"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("there is no machine behind it"), std::string::npos);
  EXPECT_EQ(ran.out.find("n2"), std::string::npos);  // it is as it was: counted alone
  EXPECT_TRUE(ran.out.ends_with("1 created, 0 changed, 0 replaced, 1 as they were, 1 skipped\n"));
  ASSERT_EQ(daemon.requests().size(), 1U);
  EXPECT_EQ(daemon.requests().front(),
            R"(POST /api/v1/discover/adopt {"names":"n[1-8]","bmcs":["10.0.0.0/24"],)"
            R"("network":"mgmt","group":"rack1"})");
  const Ran planned = drover({"discover", "adopt", "n[1-8]", "--dry-run", "-o", "json"});
  EXPECT_EQ(parse_json(planned.out)->at("created"), 1) << planned.out;
  EXPECT_EQ(daemon.requests().back(),
            R"(POST /api/v1/discover/adopt?dry_run=true {"names":"n[1-8]"})");
}

TEST(DiscoverCommands, AdoptAsksBeforeManyNodesChange) {
  const std::string many =
      R"({"rows":[],"created":0,"changed":40,"replaced":2,"kept":0,"skipped":0})";
  TestDaemon daemon(from_table({{"POST /api/v1/discover/adopt", json_response(many)}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"discover", "adopt", "n[1-64]"});
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_NE(ran.err.find("42 nodes"), std::string::npos) << ran.err;
  for (const std::string& request : daemon.requests()) {
    if (request.starts_with("POST")) EXPECT_NE(request.find("dry_run=true"), std::string::npos);
  }
}

TEST(DiscoverCommands, ListsOfSerialNumbersAreSentAsAMap) {
  TestDaemon daemon(from_table({{"POST /api/v1/discover/adopt", json_response(kAdopted)}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  drover.input = "S1 n1\n";
  drover({"discover", "adopt", "--serials", "-", "--dry-run"});
  ASSERT_EQ(daemon.requests().size(), 1U);
  const std::string sent = daemon.requests().front();
  EXPECT_NE(sent.find(R"("by":"map")"), std::string::npos) << sent;
  EXPECT_NE(sent.find(R"("node":"n1")"), std::string::npos) << sent;
}

TEST(DiscoverCommands, MistakesAreSaidBeforeAnybodyIsAsked) {
  TestDaemon daemon(from_table({}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const std::vector<std::vector<std::string>> wrong{
      {"discover", "scan", "10.0.0.0/24", "--ports", "https"},
      {"discover", "collect"},
      {"discover", "collect", "n1", "--found"},
      {"discover", "collect", "n["},
      {"discover", "adopt", "--by-port", "--map", "x"},
      {"discover", "adopt", "--map", "/nonexistent"}};
  for (const auto& words : wrong) EXPECT_NE(drover(words).code, 0) << words.back();
  drover.input = "nodes: {n1: {colour: red}}\n";
  const Ran ran = drover({"discover", "adopt", "--map", "-"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("line 1: 'colour'"), std::string::npos) << ran.err;
  EXPECT_TRUE(daemon.requests().empty());
}

}  // namespace
}  // namespace drover::cli
