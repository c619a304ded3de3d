// --filter and --sort, and the question before a change of many.
#include "cli/selection.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "cli/test_daemon.hpp"

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
using testing::TestDaemon;

const ListView kView{{{"NODE", "name"}, {"PHASE", "phase.state"}, {"CPUS", "cpus", Show::number}},
                     "name"};

json::array items() {
  return parse_json(R"([
    {"name":"n10","phase":{"state":"up"},"cpus":8,"tags":["a","b"]},
    {"name":"n9","phase":{"state":"lost"},"cpus":16,"note":"x \"y\""},
    {"name":"n1","phase":{"state":"up"},"tags":[]}])")
      .value()
      .get_array();
}

std::string chosen(const std::string& test) {
  auto parsed = parse_field_test(test);
  if (!parsed) return "!" + parsed.error().message;
  std::vector<FieldTest> tests;
  tests.push_back(*std::move(parsed));
  const auto out = refine(items(), kView, tests, {});
  if (!out) return "!" + out.error().message;
  std::string names;
  for (const auto& item : *out) names += text_at(item, "name") + " ";
  return names;
}

std::string sorted(const std::string& keys) {
  const auto out = refine(items(), kView, {}, parse_sort(keys).value());
  if (!out) return "!" + out.error().message;
  std::string names;
  for (const auto& item : *out) names += text_at(item, "name") + " ";
  return names;
}

TEST(Selection, TestsOfFields) {
  const std::pair<std::string, std::string> cases[] = {
      {"phase.state=up", "n10 n1 "},
      {"phase=up", "n10 n1 "},
      {"PHASE==up", "n10 n1 "},
      {"phase!=up", "n9 "},
      {"cpus>8", "n9 "},
      {"cpus>=8", "n10 n9 "},
      {"cpus<10", "n10 "},
      {"cpus=8.0", "n10 "},
      {"cpus=", "n1 "},
      {"name<n10", "n9 n1 "},
      {"name=~^n1", "n10 n1 "},
      {"name!~0$", "n9 n1 "},
      {"tags=b", "n10 "},
      {"tags!=b", "n9 n1 "},
      {"tags.0=a", "n10 "},
      {R"(note="x \"y\"")", "n9 "},
      {"phase", "!--filter \"phase\": expected one of = != < <= > >= =~ !~ after the field's name"},
      {"=up", "!--filter \"=up\": a field's name is missing"},
      {"name=\"n1", "!--filter \"name=\"n1\": the quotation is not closed"},
      {"name=\"n1\"x", "!--filter \"name=\"n1\"x\": something follows the closing quote"},
      {"phas=up", "!--filter: no item has a column or path \"phas\"; did you mean phase?"},
  };
  for (const auto& [test, names] : cases) {
    EXPECT_EQ(chosen(test), names) << test;
  }
  EXPECT_TRUE(chosen("name=~(").starts_with("!--filter \"name=~(\": ")) << chosen("name=~(");
}

TEST(Selection, TheServersFormMeansTheSame) {
  for (const std::string text : {"a.b=c", "a==c", "a=~^x", "a!~\"p q\"", R"(a>="\"\\")"}) {
    const FieldTest test = parse_field_test(text).value();
    const std::string range = range_text(test);
    EXPECT_FALSE(find_mistake(range)) << range;
    const FieldTest again = parse_field_test(range).value();
    EXPECT_EQ(again.value, test.value) << range;
    EXPECT_EQ(again.compare, test.compare) << range;
  }
}

TEST(Selection, SortsNaturallyWithTheAbsentLast) {
  EXPECT_EQ(sorted("name"), "n1 n9 n10 ");
  EXPECT_EQ(sorted("-name"), "n10 n9 n1 ");
  EXPECT_EQ(sorted("cpus"), "n10 n9 n1 ");
  EXPECT_EQ(sorted("-cpus"), "n9 n10 n1 ");
  EXPECT_EQ(sorted("phase,-node"), "n9 n10 n1 ");
  EXPECT_EQ(sorted("nmae"), "!--sort: no item has a column or path \"nmae\"");
  EXPECT_FALSE(parse_sort("a,-"));
}

Answers nodes_1_to(int count) {
  std::string names;
  for (int i = 1; i <= count; ++i) names += fmt::format("{}\"n{}\"", i > 1 ? "," : "", i);
  Answers out{{"GET /api/v1/noderange/expand",
               json_response(fmt::format(R"({{"items":[{}],"count":{}}})", names, count))}};
  out["PATCH /api/v1/nodes"] = json_response(fmt::format(
      R"({{"results":[{{"nodes":"n[1-{0}]","count":{0},"status":200,"problem":null}}],"done":{0},)"
      R"("failed":0,"dry_run":false}})",
      count));
  return out;
}

TEST(Confirm, ManyNodesAreAskedAbout) {
  Answers answers = nodes_1_to(17);
  answers["GET /api/v1/noderange/expand"] = nodes_1_to(17)["GET /api/v1/noderange/expand"];
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const std::vector<std::string> words{"node", "set", "n[1-17]", "enabled=true", "-o", "name"};
  const auto changes = [&] {
    const auto seen = daemon.requests();
    return std::count_if(seen.begin(), seen.end(),
                         [](const std::string& line) { return line.starts_with("PATCH"); });
  };

  const Ran refused = drover(words);
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.err,
            "drover: this would change n[1-17]: 17 at once, and nobody is here to be asked\n"
            "next: add --yes, or look first with --dry-run\n");
  drover.input_terminal = true;
  drover.answer = "n";
  const Ran no = drover(words);
  EXPECT_EQ(no.code, 1);
  EXPECT_EQ(no.err,
            "This will change n[1-17]: 17 at once. Go on? [y/N] drover: nothing was changed\n");
  EXPECT_EQ(changes(), 0);
  drover.answer = "y";
  EXPECT_EQ(drover(words).code, 0);
  EXPECT_EQ(changes(), 1);
  drover.input_terminal = false;
  std::vector<std::string> sure = words;
  sure.emplace_back("-y");
  EXPECT_EQ(drover(sure).code, 0);
  drover.environment["DROVER_CONFIRM_ABOVE"] = "17";
  EXPECT_EQ(drover(words).code, 0);
}

TEST(Selection, WhatIsInTheSpecNeedsNoPrefix) {
  const ListView nodes{.columns = {{"node", "name"}}, .kind = "node"};
  EXPECT_EQ(path_of("nid", nodes), "spec.nid");
  EXPECT_EQ(path_of("bmc.address", nodes), "spec.bmc.address");
  EXPECT_EQ(path_of("phase.state", nodes), "phase.state");
  EXPECT_EQ(path_of("nosuch", nodes), "nosuch");
  // A field that no item has a value of is still one.
  EXPECT_TRUE(check_unseen("--columns", "spec.bmc.address", 3, nodes));
  EXPECT_FALSE(check_unseen("--columns", "spec.bmc.adress", 3, nodes));
}

TEST(Confirm, TheClusterSaysHowManyAreMany) {
  Answers answers = nodes_1_to(3);
  answers["GET /api/v1/settings/confirm.above"] =
      json_response(R"({"key":"confirm.above","value":"2"})");
  TestDaemon daemon(from_table(answers));
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  EXPECT_EQ(drover({"node", "set", "n[1-3]", "enabled=true"}).code, 2);
  EXPECT_EQ(drover({"node", "set", "n[1-3]", "enabled=true", "--yes"}).code, 0);
}

TEST(Cli, FieldsThatNoNodeHasAreRefusedByTheirOption) {
  TestDaemon daemon([](const net::HttpRequest& request, const auto& exchange) {
    if (request.target.find("nosuch") == std::string::npos) {
      return exchange->respond(json_response(R"({"items":[{"name":"n1"}]})"));
    }
    const bool range = request.target.find("nodes=") != std::string::npos;
    exchange->respond(problem(400, "invalid-argument",
                              range ? "noderange: nodes have no attribute nosuch"
                                    : "query parameter fields: 'nosuch' is not known",
                              ""));
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{
           {"--filter", "nosuch=1"}, {"--sort", "nosuch"}, {"--columns", "nosuch"}}) {
    const Ran ran = drover({"node", "list", option, value});
    EXPECT_EQ(ran.code, 2) << option;
    EXPECT_NE(ran.err.find(option + ": no item has a column or path \"nosuch\""), std::string::npos)
        << ran.err;
  }
}

TEST(Cli, NodeListHasTheServerFilter) {
  TestDaemon daemon([](const net::HttpRequest& request, const auto& exchange) {
    const bool unknown = request.target.find("%40cost") != std::string::npos;
    exchange->respond(
        unknown
            ? problem(400, "invalid-argument", "noderange: no attribute 'cost'", "")
            : json_response(
                  R"({"items":[{"name":"n2","role":"compute","cost":3},{"name":"n1","cost":1}]})"));
  });
  CommandLine drover;
  drover.environment["DROVER_SOCKET"] = daemon.socket();
  const Ran ran = drover({"node", "list", "n[1-2]", "--filter", "role=compute", "--filter",
                          "service=up", "--sort", "node", "-o", "name"});
  EXPECT_EQ(ran.out, "n1\nn2\n") << ran.err;
  EXPECT_EQ(daemon.requests().front(),
            "GET "
            "/api/v1/"
            "nodes?nodes=%28n%5B1-2%5D%29%40role%3D%22compute%22%40service.state%3D%22up%22&fields="
            "name");
  EXPECT_EQ(drover({"node", "list", "--filter", "cost>1", "-o", "name"}).out, "n2\n");
  EXPECT_EQ(daemon.requests().back(), "GET /api/v1/nodes?fields=name%2Ccost");
}

}  // namespace
}  // namespace drover::cli
