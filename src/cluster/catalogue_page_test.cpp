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

TEST(AttributeCatalogue, ABootTemplateIsCheckedWhereItIsSet) {
  const auto said = [](std::string_view text) {
    const Status checked = check_attribute_value("attributes.boot_template", "boot_template", text);
    return checked ? std::string("good") : checked.error().text();
  };
  EXPECT_EQ(said("#!ipxe\nset x ${net0/mac}\n{{each initrds}}\ninitrd {{initrd.url}}\n{{end}}\n"
                 "kernel {{kernel.url}} {{args}} {{attr.x.colour}}\n\tboot || goto again\n"),
            "good")
      << "${..} is iPXE's";
  EXPECT_EQ(said("#!ipxe\nkernel {{kernal.url}}\n"),
            "attributes.boot_template: template boot_template, line 2: there is no variable "
            "'kernal.url'; did you mean kernel.url?");
  EXPECT_EQ(said("{{if name}}\n"),
            "attributes.boot_template: template boot_template, line 1: what begins here has no "
            "{{end}}");
  EXPECT_NE(said("a\x1b[2J").find("expected lines of text"), std::string::npos);
  EXPECT_NE(said(std::string(70'000, 'x')).find("longer than 65536 bytes"), std::string::npos);
}

}  // namespace
}  // namespace drover::cluster
