// From nodes to their consoles: which kind of way each has, and where it leads.
#pragma once

#include "api/power_targets.hpp"
#include "base/result.hpp"
#include "cluster/model.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace drover::api {

enum class ConsoleKind : uint8_t { ipmi, ssh, socket };

struct ConsoleTarget {
  ConsoleKind kind = ConsoleKind::ipmi;
  PowerTarget bmc;      ///< of ipmi and ssh; its port is the console's
  std::string command;  ///< ssh: what makes a console of its shell; empty: the shell is one
  std::string socket;   ///< socket: its path
  bool operator==(const ConsoleTarget& other) const {
    return kind == other.kind && bmc.at == other.bmc.at && bmc.user == other.bmc.user &&
           bmc.groups == other.bmc.groups && command == other.command && socket == other.socket;
  }
};

/// By the node's attributes console_by, console_port, console_command and console_socket, its BMC's
/// protocol and what that BMC was found to offer. not_found without the node; conflict where it has
/// no console, saying what to set; denied for a socket that the setting console.sockets does not
/// allow.
Result<ConsoleTarget> console_target(const cluster::Model& model, const std::string& node);

/// The nodes that say how their console is reached (console_by, and not off): these are held.
std::set<std::string> held_consoles(const cluster::Model& model);

/// Whether a path lies below one of the folders, by its words alone: absolute, and without "..".
bool is_below(std::string_view path, const std::vector<std::string>& folders);

}  // namespace drover::api
