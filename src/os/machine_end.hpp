// Ends the machine that this process runs on, in order: through its init.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::os {

enum class MachineEnd : uint8_t { reboot, halt, poweroff };
/// "reboot", "halt", "poweroff".
std::string_view name(MachineEnd how);
std::optional<MachineEnd> machine_end_from(std::string_view name);

/// Who is process 1.
enum class Init : uint8_t {
  systemd,
  keeper,   ///< Drover's own (nodeboot/keeper.hpp)
  unknown,  ///< such as in a container
};
/// Looks at /run/systemd/system (sd_booted(3)) and at what process 1 is called; `root` is before
/// every path.
Init find_init(const std::string& root = "");
/// The signal that asks that init for that end; nothing for an unknown one.
std::optional<int> end_signal(Init init, MachineEnd how);

/// Asks init and returns; what follows ends this process too. unsupported when init is unknown,
/// denied without the right to.
Status end_machine(MachineEnd how);

}  // namespace drover::os
