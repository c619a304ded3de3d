// docs/attributes.md is what the catalogue says. DROVER_UPDATE_GOLDEN=1 writes it anew.
#include "cluster/attribute_catalogue.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

TEST(AttributeCatalogue, TheManualIsTheCatalogue) {
  const std::string path = DROVER_SOURCE_DIR "/docs/attributes.md";
  const std::string made =
      "# Attributes that Drover knows\n\nMade from `src/cluster/attribute_catalogue.cpp`; do not "
      "edit. How they are set, inherited and computed is in [model.md](model.md).\n\n" +
      attributes_markdown();
  if (std::getenv("DROVER_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << made;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_TRUE(made == golden.str()) << "docs/attributes.md is not what the catalogue says; run "
                                       "this with DROVER_UPDATE_GOLDEN=1";
}

}  // namespace
}  // namespace drover::cluster
