// The manual pages of the daemons.
#include "daemons/program_manual.hpp"

#include "base/roff.hpp"
#include "options/daemon_options.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

TEST(ProgramManual, HasEverySettingOfEveryDaemon) {
  for (const std::string_view role : options::daemon_roles()) {
    const ConfigTable& table = *options::daemon_table(role);
    const std::string page = manual_page(table);
    EXPECT_TRUE(page.starts_with(".TH DROVER\\-")) << page;
    EXPECT_NE(page.find("\\- " + roff::plain(table.summary().substr(0, 10))), std::string::npos);
    for (const ConfigOption& option : table.options()) {
      EXPECT_NE(page.find(roff::plain(option.help)), std::string::npos) << option.key;
      EXPECT_NE(page.find("In the file: " + roff::plain(option.key) + "."), std::string::npos);
    }
    EXPECT_EQ(page.find("\n\n"), std::string::npos) << "man(7) wants .PP for empty lines";
  }
}

TEST(ProgramManual, SaysHowAValueLooks) {
  const ConfigTable table(
      "drover-x", "Does x.",
      {{.key = "a.b_c", .type = ConfigType::duration, .standard = "3s", .help = "how long"}});
  const std::string page = manual_page(table);
  EXPECT_NE(page.find("\\fB\\-\\-a\\-b\\-c=TIME\\fR\nhow long; default 3s.\nIn the file: a.b_c. "
                      "In the environment: DROVER_A_B_C.\n"),
            std::string::npos)
      << page;
}

}  // namespace
}  // namespace drover::daemons
