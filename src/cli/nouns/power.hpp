// The rows of the noun power.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> power_commands();

}  // namespace drover::cli
