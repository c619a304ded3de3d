#include "cli/declare.hpp"

#include "base/json_values.hpp"
#include "cli/test_daemon.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::json_response;
using testing::Ran;
using testing::TestDaemon;

constexpr const char* kPlan =
    R"({"applied":false,"remembers":true,"created":16,"changed":1,"removed":1,"first":0,"last":0,)"
    R"("changes":[{"kind":"node","names":"n[1-16]","count":16,"action":"create","fields":[)"
    R"({"field":"interfaces.eth0.name","before":null,"after":"eth0"},)"
    R"({"field":"interfaces.eth0.addresses","before":null,"after":["10.0.0.${number}"]}]},)"
    R"({"kind":"group","names":"g","count":1,"action":"change","fields":[)"
    R"({"field":"priority","before":0,"after":5}]},)"
    R"({"kind":"node","names":"old","count":1,"action":"remove","fields":[]}],)"
    R"("conflicts":[],"kept":[{"kind":"node","names":"n9","field":"owner","base":"a",)"
    R"("document":"a","in_force":"b","who":"person:carol","when":"2026-11-22T01:00:00.000Z",)"
    R"("why":""}],"orphans":[{"kind":"node","names":"n[20-21]","count":2}],"problems":[]})";
constexpr const char* kNothing =
    R"({"applied":false,"remembers":false,"created":0,"changed":0,"removed":0,"first":0,"last":0,)"
    R"("changes":[],"conflicts":[],"kept":[],"orphans":[],"problems":[]})";
constexpr const char* kRefused =
    R"({"applied":false,"remembers":false,"created":0,"changed":0,"removed":0,"first":0,"last":0,)"
    R"("changes":[],"conflicts":[],"kept":[],"orphans":[],)"
    R"("problems":[{"pointer":"/nodes/n1/mode","message":"'9' is not valid"}]})";

/// A master that plans, and applies, as it is told.
class DeclareTest : public ::testing::Test {
 protected:
  Ran run(std::vector<std::string> arguments) {
    command.sockets = {daemon.socket()};
    return command(std::move(arguments));
  }
  /// Requests to apply that were no dry runs.
  size_t applied() {
    size_t count = 0;
    for (const std::string& each : daemon.requests()) {
      const bool dry = each.find("dry_run=true") != std::string::npos;
      count += each.starts_with("POST /api/v1/apply") && !dry ? 1 : 0;
    }
    return count;
  }
  std::string plan = kPlan;
  bool conflict_on_apply = false;
  CommandLine command;
  TestDaemon daemon{[this](const net::HttpRequest& request,
                           const std::shared_ptr<net::HttpExchange>& exchange) {
    if (request.target.starts_with("/api/v1/export")) {
      exchange->respond(
          json_response(R"({"kind":"drover-cluster","version":1,"nodes":{"n1":{"owner":"bob"}}})"));
    } else if (conflict_on_apply && request.target.find("dry_run=true") == std::string::npos) {
      exchange->respond(testing::problem(409, "conflict", "n1: description is 'b' now", "--force"));
    } else {
      exchange->respond(json_response(plan));
    }
  }};
};

TEST_F(DeclareTest, ShowsThePlanAndChangesNothingInADryRun) {
  command.input = "kind: drover-cluster\nversion: 1\n";
  const Ran ran = run({"apply", "-f", "-", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "+ node n[1-16]  (16)\n"
            "    interfaces.eth0.addresses: 10.0.0.${number}\n"
            "~ group g\n"
            "    priority: 0 -> 5\n"
            "- node old\n"
            "= node n9: owner is b, set by person:carol at 2026-11-22T01:00:00.000Z; kept (the "
            "document has a)\n"
            "? node n[20-21]: no longer in the document; --prune removes it\n"
            "would be: 16 created, 1 changed, 1 removed\n");
  EXPECT_EQ(applied(), 0U);
}

TEST_F(DeclareTest, AsksBeforeMuch) {
  command.input = "kind: drover-cluster\nversion: 1\n";
  EXPECT_EQ(run({"apply", "-f", "-"}).code, 2) << "nobody is there to be asked";
  EXPECT_EQ(applied(), 0U);
  EXPECT_EQ(run({"apply", "-f", "-", "--yes"}).code, 0);
  EXPECT_EQ(applied(), 1U);
}

TEST_F(DeclareTest, NamesTheLineOfEveryProblem) {
  plan = kRefused;
  command.input = "kind: drover-cluster\nversion: 1\nnodes:\n  n1:\n    mode: 9\n";
  const Ran ran = run({"apply", "-f", "-"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("standard input:5: nodes.n1.mode: '9' is not valid"), std::string::npos)
      << ran.err;
  command.input = "kind: [\n";
  EXPECT_NE(run({"apply", "-f", "-"}).err.find("standard input: line"), std::string::npos);
  EXPECT_EQ(run({"apply"}).code, 2);
  EXPECT_NE(run({"apply", "-f", "/nonexistent"}).code, 0);
}

TEST_F(DeclareTest, SendsNothingWhenTheEditorChangedNothing) {
  command.edit = [](const std::string& text) { return text; };
  const Ran ran = run({"edit", "node", "n1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(daemon.requests().size(), 1U) << "only the export";
}

TEST_F(DeclareTest, OpensTheEditorAgainWithTheErrorOnTop) {
  plan = kRefused;
  std::vector<std::string> opened;
  command.edit = [&](const std::string& text) -> Result<std::string> {
    opened.push_back(text);
    if (opened.size() == 1) return text + "    mode: 9\n";
    if (opened.size() == 2) {
      plan = kNothing;
      return text + "    # mended\n";
    }
    return text;
  };
  const Ran ran = run({"edit", "node", "n1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(opened.size(), 2U);
  EXPECT_TRUE(opened[1].starts_with("# This was refused, and nothing was changed:\n")) << opened[1];
  EXPECT_NE(opened[1].find("nodes.n1"), std::string::npos);
  EXPECT_NE(opened[1].find("    mode: 9\n"), std::string::npos) << "what was typed is kept";
}

TEST_F(DeclareTest, KeepsWhatWasTypedWhenNobodyAgreesToIt) {
  command.edit = [&](const std::string& text) -> Result<std::string> {
    return text + "    description: much\n";
  };
  const Ran ran = run({"edit", "node", "n1"});
  EXPECT_EQ(ran.code, 2) << "the plan changes many nodes, and nobody is there to be asked";
  EXPECT_EQ(applied(), 0U);
  const size_t at = ran.err.find("what you typed is in drover-edit-");
  ASSERT_NE(at, std::string::npos) << ran.err;
  const size_t name = ran.err.find("drover-edit-", at);
  const std::string path = ran.err.substr(name, ran.err.find('\n', name) - name);
  std::ifstream file(path);
  const std::string kept{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  EXPECT_NE(kept.find("    description: much\n"), std::string::npos) << kept;
}

TEST_F(DeclareTest, OpensTheEditorAgainWhenOthersWereQuicker) {
  command.environment["DROVER_CONFIRM_ABOVE"] = "100";
  conflict_on_apply = true;
  std::vector<std::string> opened;
  command.edit = [&](const std::string& text) -> Result<std::string> {
    opened.push_back(text);
    conflict_on_apply = opened.size() == 1;
    return text + (opened.size() == 1 ? "    description: mine\n" : "    nid: 5\n");
  };
  const Ran ran = run({"edit", "node", "n1"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(opened.size(), 2U);
  EXPECT_NE(opened[1].find("# n1: description is 'b' now"), std::string::npos) << opened[1];
  EXPECT_EQ(applied(), 2U);
}

TEST_F(DeclareTest, SaysWhatIsWrongWithATextInItsOwnWords) {
  plan = kRefused;
  command.edit = [calls = 0](const std::string& text) mutable -> Result<std::string> {
    return ++calls == 1 ? text + "    mode: 9\n" : text;
  };
  const Ran refused = run({"edit", "node", "n1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("drover: line "), std::string::npos) << refused.err;
  EXPECT_EQ(refused.err.find("line:"), std::string::npos) << refused.err;
  const size_t name = refused.err.find("drover-edit-");
  ASSERT_NE(name, std::string::npos) << refused.err;
  std::filesystem::remove(refused.err.substr(name, refused.err.find('\n', name) - name));
}

TEST_F(DeclareTest, PrintsImportedFilesAsDocuments) {
  command.input = "10.0.0.1 n1\n10.0.0.2 n2\nnonsense x\n";
  const Ran ran = run({"import", "hosts", "-"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out,
            "kind: drover-cluster\nversion: 1\nnodes:\n  n[1-2]:\n    interfaces:\n"
            "      - name: eth0\n        addresses:\n          - 10.0.0.${number}\n");
  EXPECT_NE(ran.err.find("standard input:3: left out"), std::string::npos) << ran.err;
  EXPECT_TRUE(daemon.requests().empty()) << "no daemon is asked";
}

}  // namespace
}  // namespace drover::cli
