// What a boot leaves for the agent: files below /run/drover, in memory alone.
#pragma once

#include "base/disk.hpp"
#include "nodeboot/boot.hpp"

#include <cstdint>
#include <string>

namespace drover::nodeboot {

/// Folder of the agent of a node that Drover booted; its "state".
inline constexpr const char* kState = "/run/drover";

struct Handover {
  BootCommand command;
  uint64_t next_message = 0;  ///< of the kernel: what comes before has been sent
};

/// Writes identity, configuration ("compute.toml") and the rest below `state`. `line` is the
/// kernel's command line.
Status write_handover(Disk& disk, const std::string& state, const Outcome& outcome,
                      const std::string& line, uint64_t next_message);
/// not_found when no boot of ours has left anything there.
Result<Handover> read_handover(Disk& disk, const std::string& state);

}  // namespace drover::nodeboot
