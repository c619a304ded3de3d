// The rows of the noun discover.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> discover_commands();
std::vector<Command> discover_scan_commands();   ///< by discover_commands()
std::vector<Command> discover_adopt_commands();  ///< by discover_commands()

}  // namespace drover::cli
