// Crawls of published mock-up trees (DMTF's DSP2043 and the like: one index.json a resource), where
// DROVER_REDFISH_MOCKUPS names a folder of them. They are not part of this repository.
#include "hardware/redfish/bmc_test_ground.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace drover::hardware {
namespace {

class MockupTest : public testing::BmcGroundTest {};

std::optional<std::string> resource_of(const std::filesystem::path& tree, std::string_view path) {
  constexpr std::string_view kRoot = "/redfish/v1";
  std::string below(path.substr(kRoot.size()));
  if (below.starts_with('/')) below.erase(0, 1);
  std::ifstream file(tree / below / "index.json");
  if (!file) return std::nullopt;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_F(MockupTest, EveryTreeIsLookedThrough) {
  const char* folder = std::getenv("DROVER_REDFISH_MOCKUPS");
  if (folder == nullptr) GTEST_SKIP() << "DROVER_REDFISH_MOCKUPS is not set";
  std::vector<std::filesystem::path> trees;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_directory()) trees.push_back(entry.path());
  }
  std::ranges::sort(trees);
  ASSERT_FALSE(trees.empty());
  for (const auto& tree : trees) {
    sim::BmcTraits traits;
    traits.sessions = true;
    add_bmc(traits).bmc().serve_from(
        [tree](std::string_view path) { return resource_of(tree, path); });
  }
  const auto results = crawl_all();
  for (size_t i = 0; i < trees.size(); ++i) {
    const std::string name = trees[i].filename();
    ASSERT_TRUE(results[i]) << name << ": " << results[i].error().text();
    const auto& inventory = results[i]->inventory;
    size_t parts = 0;
    size_t nics = 0;
    for (const auto& system : inventory.systems) {
      parts += system.processors.size() + system.accelerators.size() + system.memory.size() +
               system.drives.size();
      nics += system.nics.size();
    }
    std::printf(
        "%-28s %3llu requests, %zu systems, %zu parts, %zu nics, %zu managers, %zu chassis, "
        "%zu firmware, %zu readings, %zu warnings\n",
        name.c_str(), static_cast<unsigned long long>(results[i]->requests),
        inventory.systems.size(), parts, nics, inventory.managers.size(), inventory.chassis.size(),
        inventory.firmware.size(), results[i]->readings.readings.size(), inventory.warnings.size());
    for (const auto& warning : inventory.warnings) {
      std::printf("    %s: %s\n", warning.path.c_str(), warning.text.c_str());
    }
    EXPECT_TRUE(check(inventory)) << name;
  }
}

}  // namespace
}  // namespace drover::hardware
