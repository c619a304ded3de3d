// The commands of the noun bmc; a header of its own beside nouns.hpp, as power and discover have.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> bmc_commands();
std::vector<Command> bmc_sensor_commands();

}  // namespace drover::cli
