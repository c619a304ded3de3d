// The rows of the noun operation.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> operation_commands();

}  // namespace drover::cli
