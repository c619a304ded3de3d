// Configuration files: any text is settings or an error that says where.
#include "base/config.hpp"
#include "base/config_file.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto settings = drover::read_toml(input, "drover.toml");
  if (settings) {
    for (const auto& setting : *settings) {
      drover::fuzz::require(!setting.key.empty() && setting.line > 0, "a key and its line");
    }
  } else {
    drover::fuzz::require(settings.error().text().find("drover.toml") != std::string::npos,
                          "the error names the file");
  }
  (void)drover::parse_duration(input);
  (void)drover::parse_bytes(input);
}
