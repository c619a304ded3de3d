// The rows of the noun discover.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> discover_commands();

}  // namespace drover::cli
