// Whole commands against a real HTTP server on a Unix socket.
#include "base/json_values.hpp"
#include "cli/command.hpp"
#include "cli/test_daemon.hpp"
#include "net/http/target.hpp"

#include <atomic>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::Answers;
using testing::CommandLine;
using testing::from_table;
using testing::json_response;
using testing::problem;
using testing::Ran;
using testing::run_against;
using testing::TestDaemon;

std::string node(int number, std::string_view phase, std::string_view primary) {
  return fmt::format(
      R"({{"name":"n{0}","role":"compute","phase":{{"state":"{1}","why":"seen by {0}","confirmed":{2}}},"power":{{"state":"on"}},)"
      R"("service":{{"state":"in_service"}},"agent":{{"primary":"{3}","secondary":"a2"}},"revision":1}})",
      number, phase, phase != "unknown", primary);
}

TEST(Cli, HelpComesFromTheTable) {
  const CommandLine drover;
  const Ran help = drover({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const Command& command : commands()) {
    EXPECT_NE(help.out.find(command.noun), std::string::npos) << command.noun;
    std::vector<std::string> words{command.noun};
    if (!command.verb.empty()) words.push_back(command.verb);
    words.emplace_back("--help");
    const Ran own = drover(words);
    EXPECT_EQ(own.code, 0) << own.err;
    EXPECT_FALSE(command.examples.empty()) << command.noun << ' ' << command.verb;
    for (const auto& example : command.examples)
      EXPECT_NE(own.out.find(example), std::string::npos);
    EXPECT_NE(command.handler, nullptr);
  }
}

TEST(Cli, ChangesOfManyNodesCanBeLookedAtFirst) {
  size_t changes = 0;
  for (const Command& command : commands()) {
    const auto has = [&](std::string_view name) {
      return std::any_of(command.parameters.begin(), command.parameters.end(),
                         [&](const Parameter& parameter) { return parameter.name == name; });
    };
    if (!has("noderange") || !has("why")) continue;
    ++changes;
    EXPECT_TRUE(has("dry-run")) << command.noun << ' ' << command.verb;
  }
  EXPECT_GT(changes, 0U);
}

TEST(Cli, OptionsDoNotHideOneAnother) {
  for (const Command& command : commands()) {
    for (const Parameter& own : command.parameters) {
      for (const Parameter& global : global_parameters()) {
        const bool dashed = own.kind == Parameter::Kind::option ||
                            own.kind == Parameter::Kind::flag ||
                            own.kind == Parameter::Kind::repeated;
        EXPECT_FALSE(dashed && own.name == global.name)
            << command.noun << ' ' << command.verb << " --" << own.name;
        EXPECT_FALSE(own.letter != 0 && own.letter == global.letter)
            << command.noun << ' ' << command.verb << " -" << own.letter;
      }
    }
  }
}

TEST(Cli, UsageErrorsSayWhatAndWhatNext) {
  const CommandLine drover;
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"nod"}, "drover: nod is not a command; did you mean node?\nnext: drover --help\n"},
      {{"node", "lsit"},
       "drover: lsit is not a verb of drover node; did you mean list?\nnext: drover node --help\n"},
      {{"node", "list", "--bogus"},
       "drover: --bogus is not an option of drover node list\nnext: drover node list --help\n"},
      {{"node", "list", "--colums=name"},
       "--colums=name is not an option of drover node list; did you mean --columns?\n"},
      {{"node", "list", "--filter", "phase"}, "--filter \"phase\": expected one of = !="},
      {{"node", "list", "--sort", "name,,role"}, "--sort has an empty name"},
      {{"node", "list", "-o", "xml"}, "next: drover node list --help\n"},
      {{"call", "ping"}, "next: drover call ping --help\n"},
      {{"call", "ping", "n[1-3"}, "noderange: this bracket is not closed\n  n[1-3\n   ^\nnext: "},
      {{"node", "list", "--timeout", "soon"}, "not a duration"},
  };
  for (const auto& [words, text] : cases) {
    const Ran ran = drover(words);
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_NE(ran.err.find(text), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_EQ(drover({}).code, 2);
  EXPECT_EQ(drover({"node"}).code, 2);
}

TEST(Cli, NodeListFoldsAndPages) {
  TestDaemon daemon([](const net::HttpRequest& request, const auto& exchange) {
    const auto target = net::Target::parse(request.target).value();
    const bool second = target.get("page").has_value();
    exchange->respond(json_response(second ? R"({"items":[)" + node(3, "lost", "a2") + "]}"
                                           : R"({"items":[)" + node(1, "node_up", "a1") + "," +
                                                 node(2, "node_up", "a1") +
                                                 R"(],"next_page":"p 2"})"));
  });
  CommandLine drover;
  drover.sockets = {daemon.folder() / "absent.sock", daemon.socket()};
  const Ran ran = drover({"node", "list", "n[1-3]"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "NODE    COUNT  ROLE     PHASE    SERVICE     PRIMARY  SECONDARY  WHY\n"
            "n[1-2]      2  compute  node_up  in_service  a1       a2\n"
            "n3          1  compute  lost     in_service  a2       a2         seen by 3\n");
  const std::string first =
      "GET /api/v1/nodes?nodes=n%5B1-3%5D&fields=name%2Crole%2Cservice.state%2C"
      "agent.primary%2Cagent.secondary%2Cphase.state%2Cphase.confirmed%2Cphase.why";
  EXPECT_EQ(daemon.requests()[0], first);
  EXPECT_EQ(daemon.requests()[1], first + "&page=p%202");
  EXPECT_EQ(drover({"node", "list", "-o", "name"}).out, "n1\nn2\nn3\n");
  EXPECT_EQ(daemon.requests().back(), "GET /api/v1/nodes?fields=name&page=p%202");
  EXPECT_EQ(drover({"node", "list", "-o", "name", "--sort", "name", "n[1-3]"}).out, "n1\nn2\nn3\n")
      << "an option takes one value, and leaves the noderange alone";
  drover({"node", "list", "-o", "json"});
  EXPECT_EQ(daemon.requests().back(), "GET /api/v1/nodes?page=p%202");
  drover({"node", "list", "--columns", "agent.0.x,WHY", "--sort", "memory", "-o", "csv"});
  EXPECT_EQ(daemon.requests().back(),
            "GET /api/v1/nodes?fields=agent%2Cname%2Csummary.memory_mib%2Cphase.state%2C"
            "phase.confirmed%2Cphase.why&page=p%202");
}

TEST(Cli, ColoursOnATerminalAlone) {
  TestDaemon daemon(from_table(
      {{"GET /api/v1/nodes", json_response(R"({"items":[)" + node(1, "lost", "a1") + "]}")}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"node", "list"}).out.find('\x1b'), std::string::npos);
  drover.terminal = true;
  EXPECT_NE(drover({"node", "list"}).out.find("\x1b[31mlost"), std::string::npos);
  EXPECT_EQ(drover({"node", "list", "--no-color"}).out.find('\x1b'), std::string::npos);
  drover.environment["NO_COLOR"] = "1";
  EXPECT_EQ(drover({"node", "list"}).out.find('\x1b'), std::string::npos);
}

TEST(Cli, ProblemsBecomeExitCodes) {
  const std::pair<net::HttpResponse, int> cases[] = {
      {problem(400, "invalid-argument", "bad", ""), 2},
      {problem(404, "not-found", "noderange: unknown name: n9", "drover node list"), 1},
      {problem(403, "denied", "viewers may not", "ask an admin"), 4},
      {problem(401, "unauthenticated", "who?", ""), 4},
      {problem(409, "conflict", "changed meanwhile", ""), 5},
      {problem(503, "unreachable", "no way up", ""), 3},
      {problem(499, "a-code-of-tomorrow", "new", ""), 1},
      {{502, {}, "<html>proxy</html>"}, 3},
      {{418, {}, ""}, 2},
  };
  for (const auto& [response, code] : cases) {
    const Ran ran = run_against({{"GET /api/v1/nodes", response}}, {"node", "list"});
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_EQ(ran.err.substr(0, 8), "drover: ");
  }
  const Ran ran = run_against({{"GET /api/v1/nodes", cases[1].first}}, {"node", "list"});
  EXPECT_EQ(ran.err, "drover: noderange: unknown name: n9\nnext: drover node list\n");
}

TEST(Cli, UnreachableSaysWhereAndWhatNext) {
  CommandLine drover;
  drover.sockets = {"/nonexistent/a.sock"};
  Ran ran = drover({"node", "list"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("no Drover daemon runs on this host"), std::string::npos);
  ran = drover({"node", "list", "--socket", "/nonexistent/b.sock"});
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_NE(ran.err.find("/nonexistent/b.sock"), std::string::npos);
  EXPECT_NE(ran.err.find("\nnext: "), std::string::npos);
  EXPECT_EQ(drover({"node", "list", "--server", "ftp://x"}).code, 2);
  EXPECT_EQ(drover({"node", "list", "--server", "https://x", "--socket", "/y"}).code, 2);
}

TEST(Cli, AnswersThatAreNoneAreErrors) {
  for (const auto* body : {"", "{", "[]", "{\"items\":3}", "\xff"}) {
    const Ran ran = run_against({{"GET /api/v1/nodes", json_response(body)}}, {"node", "list"});
    EXPECT_NE(ran.code, 0) << body;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Cli, DegradedAnswersCarryAWarning) {
  net::HttpResponse response = json_response(R"({"items":[]})");
  response.headers.add("Drover-Degraded", "no master answers; since=2026-01-01T00:00:00Z");
  response.headers.add("Age", "12");
  const Ran ran = run_against({{"GET /api/v1/nodes", response}}, {"node", "list", "-o", "json"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err,
            "warning: the daemon is degraded: no master answers; since=2026-01-01T00:00:00Z; this "
            "answer is 12 s old\n");
}

TEST(Cli, CallFoldsAnswersBySizeAndSplitsFailures) {
  const Answers answers{{"GET /api/v1/version", json_response("{}")},
                        {"POST /api/v1/calls", json_response(R"({"id":"c1","groups":[
    {"outcome":"done","nodes":"n9","count":1,"result":"pong\nslow","error":null},
    {"outcome":"done","nodes":"n[1-8]","count":8,"result":"pong","error":null},
    {"outcome":"unreached","nodes":"n[10-11]","count":2,"result":null,
     "error":{"code":"unreachable","message":"no path\u001b[31m"}}],"totals":{"done":9}})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"call", "ping", "n[1-11]", "--timeout", "2s"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "n[1-8]: pong\nn9 (1):\npong\nslow\n");
  EXPECT_EQ(ran.err, "n[10-11]: unreached: no path\\x1b[31m\n");
  EXPECT_EQ(
      daemon.requests()[1],
      R"(POST /api/v1/calls {"method":"ping","nodes":"n[1-11]","payload":"","timeout_ms":2000})");
  EXPECT_EQ(drover({"call", "ping", "n1", "-o", "csv"}).out,
            "nodes,count,outcome,result,error\n"
            "n9,1,done,pong\\x0aslow,\n"
            "n[1-8],8,done,pong,\n"
            "n[10-11],2,unreached,,no path\\x1b[31m\n");
}

TEST(Cli, AStreamedCallIsShownAsOneThatCameAtOnce) {
  net::HttpResponse stream = json_response(
      R"({"id":"c1","group":{"outcome":"done","nodes":"n2","count":1,"result":"pong","error":null},)"
      R"("totals":{"done":1},"targets":3,"end":false})"
      "\n"
      R"({"id":"c1","group":{"outcome":"done","nodes":"n[1,3]","count":2,"result":"pong",)"
      R"("error":null},"totals":{"done":3},"targets":3,"end":false})"
      "\n"
      R"({"id":"c1","group":null,"totals":{"done":3},"targets":3,"end":true})"
      "\n");
  stream.headers.set("Content-Type", "application/jsonl");
  const Answers answers{{"GET /api/v1/version", json_response("{}")},
                        {"POST /api/v1/calls", stream}};
  EXPECT_EQ(run_against(answers, {"call", "ping", "n[1-3]"}).out, "n[1-3]: pong\n");
  net::HttpResponse cut = stream;
  cut.body.resize(cut.body.size() / 2);
  EXPECT_EQ(run_against({{"GET /api/v1/version", json_response("{}")}, {"POST /api/v1/calls", cut}},
                        {"call", "ping", "n[1-3]"})
                .code,
            3)
      << "a stream that breaks off is no answer";
}

TEST(Cli, NodeSetReportsEachFailure) {
  const Answers answers{
      {"GET /api/v1/noderange/expand", json_response(R"({"items":["n1","n2","n3"],"count":3})")},
      {"PATCH /api/v1/nodes", json_response(R"({"results":[
         {"nodes":"n[2-3]","count":2,"status":409,"problem":{"type":"urn:drover:problem:conflict",
          "title":"Conflict","status":409,"detail":"locked by alice","next":"drover node show n2"}},
         {"nodes":"n1","count":1,"status":200,"problem":null}],"done":1,"failed":2})",
                                            207)}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const std::vector<std::string> words{"node",  "set",      "n[1-3]", "service=maintenance",
                                       "--why", "new DIMM", "-o",     "name"};
  const Ran ran = drover(words);
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "n1\n");
  EXPECT_EQ(ran.err, "n[2-3]: locked by alice\nnext: drover node show n2\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(PATCH /api/v1/nodes?nodes=n%5B1-3%5D {"service":"maintenance","why":"new DIMM"})");
  const Ran people = drover({"node", "set", "n[1-3]", "rack=7", "--dry-run"});
  EXPECT_EQ(people.out, "n1: changed\n");
  EXPECT_EQ(daemon.requests().back(), R"(PATCH /api/v1/nodes?nodes=n%5B1-3%5D&dry_run=true )"
                                      R"({"spec":{"attributes":{"rack":"7"}}})");
  EXPECT_EQ(drover({"node", "set", "n1", "maintenance"}).code, 2);
  EXPECT_EQ(drover({"node", "set", "n1", "rakc=7"}).code, 2);
}

TEST(Cli, NodeSetSaysWhatWasSoAlready) {
  const Answers answers{
      {"GET /api/v1/noderange/expand", json_response(R"({"items":["n1","n2","n3"],"count":3})")},
      {"PATCH /api/v1/nodes", json_response(R"({"results":[
         {"nodes":"n[1,3]","count":2,"status":200,"unchanged":true,"problem":null},
         {"nodes":"n2","count":1,"status":200,"unchanged":false,"problem":null}],
         "done":3,"unchanged":2,"failed":0,"dry_run":false})")}};
  const Ran ran = run_against(answers, {"node", "set", "n[1-3]", "flag=ok"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "n[1,3]: unchanged\nn2: changed\n");
  EXPECT_EQ(run_against(answers, {"node", "set", "n[1-3]", "flag=ok", "-o", "name"}).out,
            "n1\nn3\nn2\n");
}

TEST(Cli, ColumnsOfASingleAnswer) {
  const Answers answers{
      {"GET /api/v1/local",
       json_response(R"({"role":"master","name":"m1","spool":{"waiting":0,"limit":7}})")},
      {"GET /api/v1/noderange/expand", json_response(R"({"items":["n1","n2"],"count":2})")},
      {"GET /api/v1/operations", json_response(R"({"items":[]})")},
      {"GET /api/v1/nodes", json_response(R"({"items":[{"name":"n1","spec":{"nid":1,"mode":"0755"}},
                                              {"name":"n2","spec":{"nid":2}}]})")}};
  EXPECT_EQ(run_against(answers, {"local", "--columns", "spool,name"}).out,
            "name           m1\nspool.waiting  0\nspool.limit    7\n");
  EXPECT_EQ(run_against(answers, {"local", "-o", "name"}).out, "m1\n");
  EXPECT_EQ(run_against(answers, {"node", "show", "*", "--columns", "name,spec.mode"}).out,
            "name       n1\nspec.mode  0755\n\nname  n2\n");
  EXPECT_EQ(run_against(answers, {"nodes", "expand", "n[1-2]", "--columns", "name"}).out,
            "NODE\nn1\nn2\n");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"local"},
                                                {"node", "show", "*"},
                                                {"nodes", "expand", "n[1-2]"},
                                                {"operation", "list"}}) {
    std::vector<std::string> asked = words;
    asked.insert(asked.end(), {"--columns", "nosuch"});
    const Ran ran = run_against(answers, asked);
    EXPECT_EQ(ran.code, 2) << words.front();
    EXPECT_NE(ran.err.find("--columns"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "") << words.front();
  }
  EXPECT_EQ(run_against(answers, {"operation", "list", "--columns", "why"}).code, 0);
}

TEST(Cli, NamesWhereThereAreSome) {
  const Answers answers{{"GET /api/v1/version", json_response(R"({"version":"1"})")},
                        {"GET /api/v1/local/log-levels",
                         json_response(R"({"level":"info","origin":"default","components":[
           {"component":"link","level":"debug","origin":"by hand"}],"by_hand":{"link":"debug"}})")}};
  EXPECT_EQ(run_against(answers, {"log", "level", "-o", "name"}).out, "*\nlink\n");
  const Ran version = run_against(answers, {"version", "-o", "name"});
  EXPECT_EQ(version.code, 2);
  EXPECT_NE(version.err.find("has no name"), std::string::npos) << version.err;
}

TEST(Cli, WhenAllNodesFailAlikeTheReasonIsTheExitCode) {
  const Answers answers{
      {"GET /api/v1/noderange/expand", json_response(R"({"items":["n1","n2"],"count":2})")},
      {"DELETE /api/v1/nodes", json_response(R"({"results":[
         {"nodes":"n[1-2]","count":2,"status":409,"problem":{"type":"urn:drover:problem:conflict",
          "title":"Conflict","status":409,"detail":"node '{node}' is up","next":""}}],
          "done":0,"failed":2})",
                                             207)}};
  const Ran ran = run_against(answers, {"node", "remove", "n[1-2]"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_EQ(ran.err, "n[1-2]: node '{node}' is up\n");
}

TEST(Cli, ListsAreEditedInOneRequestForAllNodes) {
  const Answers answers{
      {"GET /api/v1/noderange/expand", json_response(R"({"items":["n1","n2","n3"],"count":3})")},
      {"PATCH /api/v1/nodes",
       json_response(R"({"results":[],"done":0,"failed":0,"dry_run":false})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"node", "set", "n[1-3]", "profiles+=b"}).code, 0);
  EXPECT_EQ(daemon.requests().back(),
            R"(PATCH /api/v1/nodes?nodes=n%5B1-3%5D {"edits":[{"field":"profiles","how":"add",)"
            R"("interface":"","values":["b"]}]})");
}

TEST(Cli, NodesAreAddedAndRenamed) {
  const Answers answers{
      {"POST /api/v1/nodes",
       json_response(R"({"results":[{"nodes":"n[1-2]","count":2,"status":201,"problem":null}],
                         "done":2,"failed":0,"dry_run":false})")},
      {"POST /api/v1/nodes/n1/rename", json_response(R"({"name":"m1"})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran added =
      drover({"node", "add", "n[1-2]", "eth0.address=10.0.0.${number}", "--why", "x"});
  EXPECT_EQ(added.out, "n[1-2]: added\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(POST /api/v1/nodes?nodes=n%5B1-2%5D {"role":"compute","edits":[{"field":)"
            R"("addresses","how":"replace","interface":"eth0","values":["10.0.0.${number}"]}],)"
            R"("why":"x"})");
  EXPECT_EQ(drover({"node", "add", "n[1-2]"}).out, "n[1-2]: added\n") << "a name is enough";
  EXPECT_EQ(drover({"node", "add", "n3", "service=in_service"}).code, 2);
  EXPECT_EQ(drover({"node", "add", "@g", "rack=1"}).code, 2);
  const Ran renamed = drover({"node", "rename", "n1", "m1", "--force"});
  EXPECT_EQ(renamed.out, "n1: renamed to m1\n");
  EXPECT_EQ(daemon.requests().back(), R"(POST /api/v1/nodes/n1/rename?force=true {"to":"m1"})");
}

TEST(Cli, StatesAreSaidInOtherWords) {
  const Answers answers{{"GET /api/v1/states", json_response(R"({"items":[
    {"name":"n1","state":"Ready","flag":"OK"},{"name":"n2","state":"Ready","flag":"OK"},
    {"name":"n3","state":"Standby","flag":"Warning"}]})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"node", "list", "n[1-3]", "--view", "smd"}).out,
            "NODE    COUNT  STATE    FLAG\n"
            "n[1-2]      2  Ready    OK\n"
            "n3          1  Standby  Warning\n");
  EXPECT_EQ(daemon.requests().back(), "GET /api/v1/states?nodes=n%5B1-3%5D&view=smd");
  EXPECT_EQ(drover({"node", "list", "--view", "klingon"}).code, 2);
}

TEST(Cli, AttributesShowTheirBlame) {
  const Answers answers{{"GET /api/v1/attributes", json_response(R"({"items":[
    {"node":"n1","name":"rack","value":"2","problem":"","set_by":{"source":"profile","name":"p",
     "through":"group g","raw":"${number}"},"overrides":[{"source":"profile","name":"default",
     "through":"","raw":"0"}]},
    {"node":"n1","name":"unit","value":"","problem":"n1: attribute unit of node n1: broken",
     "set_by":{"source":"node","name":"n1","through":"","raw":"${x}"},"overrides":[]}]})")}};
  const Ran ran = run_against(answers, {"node", "attributes", "n1", "--blame"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out,
            "NODE  COUNT  ATTRIBUTE  VALUE  FROM                  WRITTEN    OVERRIDES\n"
            "n1        1  rack       2      profile p of group g  ${number}  profile default=0\n"
            "n1        1  unit              node                  ${x}\n");
  EXPECT_EQ(ran.err, "n1: attribute unit of node n1: broken\n");
}

TEST(Cli, GroupsAndProfilesAreChanged) {
  const Answers answers{
      {"POST /api/v1/groups", json_response(R"({"name":"g"})", 201)},
      {"PATCH /api/v1/groups/g", json_response(R"({"name":"g"})")},
      {"POST /api/v1/groups/g/rename", json_response(R"({"name":"h"})")},
      {"POST /api/v1/groups/g/members", json_response(R"({"name":"g","nodes":"n[1-2]"})")},
      {"GET /api/v1/groups/g", json_response(R"({"name":"g","members":"n1"})")},
      {"DELETE /api/v1/profiles/p", problem(409, "conflict", "profile p is used by node n1", "")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"group", "add", "g", "nodes=n1", "rack=1"}).out, "group g added\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(POST /api/v1/groups {"nodes":"n1","attributes":{"rack":"1"},"name":"g"})");
  EXPECT_EQ(drover({"group", "set", "g", "range=phase=up"}).out, "group g changed\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(PATCH /api/v1/groups/g {"range":"phase=up","nodes":null})");
  EXPECT_EQ(drover({"group", "members", "g"}).out, "n1\n");
  EXPECT_EQ(drover({"group", "members", "g", "--add", "n2"}).out, "group g is n[1-2]\n");
  EXPECT_EQ(drover({"group", "unset", "g", "rack", "--dry-run"}).out, "group g would be changed\n");
  EXPECT_EQ(daemon.requests().back(),
            R"(PATCH /api/v1/groups/g?dry_run=true {"attributes":{"rack":null}})");
  EXPECT_EQ(drover({"group", "rename", "g", "h", "--dry-run"}).out, "group h would be renamed\n");
  EXPECT_EQ(daemon.requests().back(), R"(POST /api/v1/groups/g/rename?dry_run=true {"to":"h"})");
  EXPECT_EQ(drover({"group", "set", "g", "profiles+=a"}).code, 0);
  EXPECT_EQ(daemon.requests().back(), R"(PATCH /api/v1/groups/g {"edits":[)"
                                      R"({"field":"profiles","how":"add","values":["a"]}]})");
  EXPECT_EQ(drover({"group", "add", "g", "profiles+=a"}).code, 2);
  const Ran used = drover({"profile", "remove", "p"});
  EXPECT_EQ(used.code, 5);
  EXPECT_EQ(used.err, "drover: profile p is used by node n1\n");
  EXPECT_EQ(drover({"profile", "set", "p", "nodes=n1"}).code, 2);
}

TEST(Cli, NodeShowInventoryFoldsEqualParts) {
  const std::string part =
      R"({"node":"NODE","kind":"cpu","slot":"0","serial":"","attributes":{"cores":8,"model":"X"}})";
  const auto of = [&](const std::string& name) {
    std::string out = part;
    return out.replace(out.find("NODE"), 4, name);
  };
  TestDaemon daemon(from_table({{"GET /api/v1/inventory", json_response(R"({"items":[)" + of("n1") +
                                                                        "," + of("n2") + "]}")}}));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"node", "show", "n[1-2]", "--inventory"}).out,
            "NODE    COUNT  KIND  SLOT  SERIAL  ATTRIBUTES\n"
            "n[1-2]      2  cpu   0             cores=8 model=X\n");
  EXPECT_EQ(daemon.requests(), std::vector<std::string>{"GET /api/v1/inventory?nodes=n%5B1-2%5D"})
      << "one request, however many nodes";
}

TEST(Cli, HealthListsDaemonsAndProblems) {
  const Answers answers{
      {"GET /api/v1/health", json_response(R"({"status":"degraded","cluster":"demo",
    "answered_by":{"role":"master","name":"m1"},
    "daemons":[
      {"name":"m1","role":"master","state":"up","version":"0.1.0","restarts":0,"links":[],"problems":[]},
      {"name":"n1","role":"compute","state":"up","version":"0.1.0","restarts":0,"problems":[],
       "links":[{"peer":"a1","role":"primary","state":"up"},{"peer":"a2","role":"secondary","state":"down"}]},
      {"name":"n2","role":"compute","state":"up","version":"0.1.0","restarts":0,"problems":[],
       "links":[{"peer":"a1","role":"primary","state":"up"},{"peer":"a2","role":"secondary","state":"down"}]}],
    "problems":[{"severity":"error","subject":"a2","what":"lost","why":"connection closed","next":"start it"}],
    "totals":{"nodes":{"up":2,"lost":0}}})")}};
  const Ran ran = run_against(answers, {"health"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out,
            "cluster demo is degraded; nodes: 2 up; answered by master m1\n\n"
            "DAEMON  COUNT  ROLE     STATE  VERSION  RESTARTS  LINKS                          WHY\n"
            "m1          1  master   up     0.1.0           0\n"
            "n[1-2]      2  compute  up     0.1.0           0  primary a1, secondary a2 down\n"
            "\n1 problem:\n"
            "  error   a2: lost (connection closed)\n"
            "          next: start it\n");
}

TEST(Cli, NodesFoldExpandCount) {
  CommandLine drover;
  drover.input = "n1 n2\nn3\n";
  EXPECT_EQ(drover({"nodes", "fold", "-", "n[5-6]", "m1"}).out, "m1,n[1-3,5-6]\n");
  EXPECT_EQ(drover({"nodes", "fold", "--steps", "n1", "n3", "n5"}).out, "n[1-5/2]\n");
  EXPECT_EQ(drover({"nodes", "expand", "--offline", "r[1-2]u1"}).out, "r1u1\nr2u1\n");
  EXPECT_EQ(drover({"nodes", "count", "--offline", "r[1-20]u[1-5]"}).out, "100\n");
  const Ran group = drover({"nodes", "expand", "--offline", "@group"});
  EXPECT_EQ(group.code, 2);
  EXPECT_NE(group.err.find("next: leave out --offline"), std::string::npos) << group.err;
  const std::vector<std::string> diff{"nodes", "expand", "--offline", "n[1-3]", "--diff", "n[2-4]"};
  EXPECT_EQ(drover(diff).out, "- n1\n+ n4\n");
  EXPECT_EQ(drover({"nodes", "count", "--offline", "n[1-9]", "--diff", "n3,m1"}).out, "- 8\n+ 1\n");
  EXPECT_EQ(drover({"nodes", "fold", "n9", "n[1-3]", "--diff", "n[2-4]"}).out, "- n[1,9]\n+ n4\n");
  EXPECT_EQ(drover({"nodes", "fold", "n1", "--diff", "n[2"}).code, 2);
  EXPECT_EQ(drover({"nodes", "fold", "--offline", "@rack1"}).code, 2);
  const Answers answers{
      {"GET /api/v1/noderange/expand", json_response(R"({"items":["n1","n2"],"count":2})")}};
  EXPECT_EQ(run_against(answers, {"nodes", "expand", "@rack1", "-o", "csv"}).out, "node\nn1\nn2\n");
  EXPECT_EQ(run_against(answers, {"nodes", "fold", "@rack1", "n7"}).out, "n[1-2,7]\n");
}

TEST(Cli, TokensAreShownOnceAlone) {
  const Answers answers{
      {"POST /api/v1/tokens",
       json_response(
           R"({"id":"abc","token":"drover-join-v1.x","expires":"2026-01-01T00:00:00.000Z"})", 201)},
      {"DELETE /api/v1/tokens/abc", {204, {}, ""}}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran made = drover({"token", "create", "--names", "n[1-8]", "--uses", "8", "--ttl", "30m"});
  EXPECT_EQ(made.out, "drover-join-v1.x\n");
  EXPECT_NE(made.err.find("next: on the new host"), std::string::npos);
  EXPECT_EQ(daemon.requests()[0],
            R"(POST /api/v1/tokens {"role":"compute","ttl_s":1800,"uses":8,"names":"n[1-8]"})");
  EXPECT_EQ(drover({"token", "revoke", "abc"}).out, "token abc revoked\n");
  EXPECT_EQ(drover({"token", "create", "--uses", "0"}).code, 2);
  EXPECT_EQ(drover({"token", "create", "--role", "king"}).code, 2);
}

TEST(Cli, HistoryShowsWhatChanged) {
  const Answers answers{{"GET /api/v1/changes", json_response(R"({"items":[
    {"sequence":5,"time":"2026-01-01T00:00:00.000Z","actor":"uid:0","kind":"node","key":"n1",
     "operation":"put","before":{"service":{"state":"in_service"}},
     "after":{"service":{"state":"maintenance"}},"why":"new DIMM"}]})")}};
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"history", "node/n1", "--limit", "5"}).out,
            "TIME                      SEQUENCE  WHO    KIND  KEY  CHANGE                          "
            "          WHY\n"
            "2026-01-01T00:00:00.000Z         5  uid:0  node  n1   service.state: in_service -> "
            "maintenance  new DIMM\n");
  EXPECT_EQ(daemon.requests()[0], "GET /api/v1/changes?order=newest&kind=node&key=n1&limit=5");
  EXPECT_EQ(drover({"history", "--since", "x"}).code, 2);
  for (const std::vector<std::string>& mistyped :
       {std::vector<std::string>{"history", "gruop", "g"}, {"history", "gruop/g"}}) {
    const Ran refused = drover(mistyped);
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find("nothing of the kind \"gruop\" is remembered"), std::string::npos)
        << refused.err;
  }
}

TEST(Cli, CompletionsAskTheProgramItself) {
  const CommandLine drover;
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = drover({"completion", shell});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("drover __complete -- "), std::string::npos) << shell;
  }
  const std::string first = drover({"__complete", "--", ""}).out;
  for (const Command& command : commands()) {
    EXPECT_NE(("\n" + first).find("\n" + command.noun + "\t"), std::string::npos) << command.noun;
  }
  EXPECT_EQ(drover({"completion", "tcsh"}).code, 2);
}

TEST(Cli, VersionWorksWithoutADaemon) {
  CommandLine drover;
  EXPECT_EQ(drover({"version"}).out, "client  " DROVER_VERSION "\n");
  EXPECT_EQ(drover({"--version"}).out, "drover " DROVER_VERSION "\n");
  const Ran ran = run_against(
      {{"GET /api/v1/version", json_response(R"({"version":"9","role":"master"})")}}, {"version"});
  EXPECT_NE(ran.out.find("daemon.version  9"), std::string::npos);
}

}  // namespace
}  // namespace drover::cli
