// drover explain and the manual.
#include "cli/explain.hpp"

#include "base/roff.hpp"
#include "cli/fields.hpp"
#include "cli/manual.hpp"
#include "cli/test_daemon.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::Ran;

TEST(Explain, FieldsHaveTheirDocAndType) {
  const auto found = explain("phase.state").value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "node.phase.state");
  EXPECT_FALSE(found[0].text.empty());
  EXPECT_EQ(found[0].facts[0].second.substr(0, 19), "one of unknown, off");
  EXPECT_EQ(explain("node.phase.state").value()[0].name, "node.phase.state");
  EXPECT_GT(explain("phase").value()[0].facts.size(), 3U);
  EXPECT_EQ(explain("serial").value()[0].name, "part.serial");
  EXPECT_EQ(explain("health.links.peer").value_or(std::vector<Explanation>{}).size(), 0U);
  EXPECT_EQ(explain("health.daemons.links.peer").value()[0].facts[0].second, "text");
}

TEST(Explain, AttributesHaveTheirRule) {
  const auto all = explain("unit").value();  // of sensors too
  const auto found = std::ranges::find(all, "attribute", &Explanation::what);
  ASSERT_NE(found, all.end());
  EXPECT_EQ(found->facts[0].second, "an integer from 1 to 100");
  EXPECT_GT(explain("attributes").value()[0].facts.size(), 10U);
  EXPECT_NE(explain("formula").value()[0].text.find("number"), std::string::npos);
}

TEST(Explain, SettingsHaveTheirRule) {
  const auto found = explain("tree.heartbeat").value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].what, "setting");
  EXPECT_EQ(found[0].facts[0].second, "a duration such as 500ms, 3s, 2m, 1h, from 50ms to 1m");
  EXPECT_EQ(explain("log.level").value()[0].facts[0].second,
            "one of debug, info, notice, warning, error");
  EXPECT_EQ(explain("settings").value()[0].facts.size(), cluster::setting_catalogue().size());
  EXPECT_NE(explain("tree.heartbaet").error().message.find("did you mean tree.heartbeat?"),
            std::string::npos);
}

TEST(Explain, EveryFieldHasASentence) {
  for (const FieldKind& kind : field_kinds()) {
    EXPECT_FALSE(kind.fields.empty()) << kind.name;
    for (const FieldInfo& field : kind.fields) {
      EXPECT_FALSE(field.doc.empty()) << kind.name << '.' << field.path;
      // The body of another request, whichever it was.
      if (kind.name == "operation" && field.path == "request") continue;
      EXPECT_NE(field.type, "any JSON") << kind.name << '.' << field.path;
    }
  }
}

TEST(Explain, StatesSayHowTheyAreReachedAndLeft) {
  const auto found = explain("lost").value();
  ASSERT_EQ(found.size(), 1U);
  const std::string text = explanation_text(found[0]);
  EXPECT_NE(text.find("phase.lost (state)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("reached      from unknown, joining, node_up, up, error, by liveness: "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("left         to rebooting, by admin: a reboot was asked for"),
            std::string::npos)
      << text;
  EXPECT_EQ(explain("off").value().size(), 2U) << "a phase and a power state";
  EXPECT_EQ(explain("power.off").value().size(), 1U);
}

TEST(Explain, ErrorsMetricsAndUnknownWords) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    const CodeInfo& code = info(static_cast<Code>(i));
    const auto found = explain("urn:drover:problem:" + std::string(code.name));
    ASSERT_TRUE(found) << code.name;
    EXPECT_EQ(found->front().facts[1].second, std::to_string(code.http_status));
  }
  for (const auto& row : cluster::attribute_catalogue()) {
    const auto found = explain(row.name).value_or(std::vector<Explanation>{});
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const Explanation& one) {
      return one.what == "attribute" && !one.facts[0].second.empty();
    })) << row.name;
  }
  EXPECT_EQ(explain("load_1m").value()[0].what, "metric");
  const auto unknown = explain("phase.stat");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "nothing is called \"phase.stat\"; did you mean phase.state?");
  EXPECT_FALSE(explain(""));
  const CommandLine drover;
  EXPECT_EQ(drover({"explain"}).code, 0);
  EXPECT_EQ(drover({"explain", "conflict", "-o", "name"}).out, "conflict\n");
  EXPECT_EQ(drover({"explain", "nothing-at-all"}).code, 1);
}

TEST(Manual, HasEveryCommandAndOption) {
  const auto pages = manual_pages();
  const std::string markdown = manual_markdown();
  for (const Command& command : commands()) {
    const auto page = std::find_if(pages.begin(), pages.end(), [&](const ManualPage& p) {
      return p.file == "drover-" + command.noun + ".1";
    });
    ASSERT_NE(page, pages.end()) << command.noun;
    EXPECT_NE(page->text.find(".SS drover " + roff::plain(command.noun)), std::string::npos)
        << command.noun;
    EXPECT_NE(markdown.find("drover " + command.noun), std::string::npos);
    for (const Parameter& parameter : command.parameters) {
      EXPECT_NE(page->text.find(roff::plain(parameter.help)), std::string::npos) << parameter.help;
    }
  }
  EXPECT_EQ(pages.front().file, "drover.1");
  EXPECT_TRUE(pages.front().text.starts_with(".TH DROVER 1 "));
}

TEST(Manual, TheMarkdownPageIsTheTable) {
  const std::string path = DROVER_SOURCE_DIR "/docs/cli.md";
  const std::string made = manual_markdown();
  if (std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << made;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_TRUE(made == golden.str())
      << "docs/cli.md is not what the command table says; run DROVER_UPDATE_GOLDEN=1 "
         "build/dev/bin/cli_test";
}

TEST(Manual, LinesAreTextOrKnownRequests) {
  const std::vector<std::string_view> requests{".TH", ".SH", ".SS", ".TP", ".PP", ".nf",
                                               ".fi", ".RS", ".RE", ".br", ".BR"};
  for (const ManualPage& page : manual_pages()) {
    std::istringstream lines(page.text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_FALSE(line.empty()) << page.file << ": man(7) wants .PP for empty lines";
      EXPECT_FALSE(line.starts_with('\'')) << page.file << ": " << line;
      if (!line.starts_with('.')) continue;
      EXPECT_TRUE(std::any_of(
          requests.begin(), requests.end(),
          [&](std::string_view known) { return line.substr(0, line.find(' ')) == known; }))
          << page.file << ": " << line;
    }
  }
}

TEST(Manual, GoesIntoAFolder) {
  const os::testing::TestFolder folder;
  const CommandLine drover;
  EXPECT_EQ(drover({"man", "--dir", folder / "man1"}).code, 0);
  std::ifstream file(folder / "man1/drover-node.1");
  std::string first;
  std::getline(file, first);
  EXPECT_TRUE(first.starts_with(".TH DROVER\\-NODE 1")) << first;
  EXPECT_EQ(drover({"man", "node"}).out.substr(0, first.size()), first);
  EXPECT_EQ(drover({"man", "nothing"}).code, 1);
}

}  // namespace
}  // namespace drover::cli
