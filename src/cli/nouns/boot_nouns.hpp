// The rows of the nouns that are about booting.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> network_commands();
std::vector<Command> boot_plan_commands();
std::vector<Command> boot_watch_commands();
std::vector<Command> boot_log_commands();
std::vector<Command> boot_lease_commands();
std::vector<Command> boot_machine_commands();
std::vector<Command> cloud_init_commands();
std::vector<Command> node_steps_commands();
std::vector<Command> steps_commands();
std::vector<Command> overlay_commands();

}  // namespace drover::cli
