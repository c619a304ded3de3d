// The rows of the command table, one function per noun; each is in the noun's own file.
#pragma once

#include "cli/command.hpp"

#include <vector>

namespace drover::cli {

std::vector<Command> node_commands();
std::vector<Command> node_change_commands();
std::vector<Command> group_commands();
std::vector<Command> profile_commands();
std::vector<Command> image_commands();
std::vector<Command> nodes_commands();
std::vector<Command> apply_commands();
std::vector<Command> edit_commands();
std::vector<Command> import_commands();
std::vector<Command> health_commands();
std::vector<Command> call_commands();
std::vector<Command> watch_commands();
std::vector<Command> history_commands();
std::vector<Command> backup_commands();
std::vector<Command> setting_commands();
std::vector<Command> config_commands();
std::vector<Command> log_commands();
std::vector<Command> token_commands();
std::vector<Command> credential_commands();
std::vector<Command> grant_commands();
std::vector<Command> issuer_commands();
std::vector<Command> certificate_commands();
std::vector<Command> whoami_commands();
std::vector<Command> audit_commands();
std::vector<Command> initramfs_commands();
std::vector<Command> join_commands();
std::vector<Command> lab_commands();
std::vector<Command> local_commands();
std::vector<Command> version_commands();
std::vector<Command> completion_commands();
std::vector<Command> explain_commands();
std::vector<Command> man_commands();
std::vector<Command> top_commands();
std::vector<Command> console_commands();

}  // namespace drover::cli
