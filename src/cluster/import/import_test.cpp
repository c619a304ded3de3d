#include "cluster/import/import.hpp"

#include "base/json_values.hpp"
#include "base/yaml.hpp"
#include "cluster/import/xcat_formula.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The document as the command prints it, the notes as comments on top.
std::string shown(const Imported& imported) {
  std::string out;
  for (const ImportNote& note : imported.notes) {
    out += fmt::format("# line {}: {}\n", note.line, note.text);
  }
  return out + to_yaml(to_document(imported));
}

const ImportFormat& format(std::string_view name) {
  for (const ImportFormat& each : import_formats()) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no format " << name;
  return import_formats().front();
}

struct Golden {
  std::string_view format;
  std::string_view file;
};

class ImportGolden : public testing::TestWithParam<Golden> {};

TEST_P(ImportGolden, GivesTheDocumentAsBefore) {
  const std::string input =
      fmt::format("{}/tests/golden/import/{}", DROVER_SOURCE_DIR, GetParam().file);
  const std::string golden = input + ".golden";
  const auto imported = format(GetParam().format).read(read_file(input));
  ASSERT_TRUE(imported) << imported.error().text();
  const std::string got = shown(*imported);
  if (std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << got;
  EXPECT_EQ(got, read_file(golden)) << "DROVER_UPDATE_GOLDEN=1 writes it anew";
}

INSTANTIATE_TEST_SUITE_P(Formats, ImportGolden,
                         testing::Values(Golden{"warewulf", "nodes.conf"},
                                         Golden{"xcat", "lsdef.stanza"}, Golden{"hosts", "hosts"},
                                         Golden{"slurm", "slurm.conf"},
                                         Golden{"openchami", "discovery.yaml"}),
                         [](const auto& each) { return std::string(each.param.format); });

TEST(Import, RefusesWhatIsAnotherFormat) {
  EXPECT_FALSE(import_warewulf("- a\n"));
  EXPECT_FALSE(import_warewulf("warewulf: {}\n"));
  EXPECT_FALSE(import_warewulf("nodes: [\n"));
  EXPECT_FALSE(import_openchami("nodes: {}\n"));
  EXPECT_FALSE(import_xcat("objtype=node\n"));
  EXPECT_EQ(import_xcat("objtype=node\n").error().message,
            "line 1: an attribute before the first \"name:\" line");
  EXPECT_TRUE(import_hosts("")->nodes.empty());
  EXPECT_TRUE(import_slurm("garbage\n\n")->nodes.empty());
}

TEST(Import, BoundsHostlists) {
  std::string many;
  for (int i = 0; i < 6; ++i) many += fmt::format("NodeName=a{}n[1-90000]\n", i);
  const auto imported = import_slurm(many);
  ASSERT_TRUE(imported);
  EXPECT_LE(imported->nodes.size(), 200'000U);
  ASSERT_FALSE(imported->notes.empty());
  EXPECT_EQ(imported->notes.front().line, 3U);
}

TEST(XcatFormula, FollowsNumbersOnly) {
  EXPECT_EQ(xcat_formula("|10.0.0.($1+0)|"), "10.0.0.${number1+0}");
  EXPECT_EQ(xcat_formula("|\\D+(\\d+)\\D+(\\d+)|10.($1).($2+10*($1-1)).1|"),
            "10.${number1}.${number2+10*(number1-1)}.1");
  EXPECT_EQ(xcat_formula("/n(\\d+)/bmc$1/"), "bmc${number1}");
  EXPECT_EQ(xcat_formula("|r\\d+u(\\d+)|u($1)|"), "u${number2}");
  EXPECT_EQ(xcat_formula("|\\w(\\d)|x$1|"), std::nullopt);
  EXPECT_EQ(xcat_formula("|n(\\d+)|(skip($1,2))|"), std::nullopt);
  EXPECT_EQ(xcat_formula("|n(\\d+)|$2|"), std::nullopt);
  EXPECT_EQ(xcat_formula("|n(\\d+)|($1|"), std::nullopt);
  EXPECT_TRUE(is_xcat_rule("|a|"));
  EXPECT_FALSE(is_xcat_rule("/install/custom/"));
  EXPECT_FALSE(is_xcat_rule("||"));
}

}  // namespace
}  // namespace drover::cluster
