// The part of drover-sim that serves emulated BMCs: what its command line says.
#pragma once

#include "base/result.hpp"
#include "sim/bmc/bmc_fleet.hpp"

#include <span>
#include <string>
#include <string_view>

namespace drover::sim {

struct FleetProgram {
  BmcFleetOptions fleet;
  std::string certificate_file;  ///< PEM; empty: plain HTTP
  std::string key_file;
  std::string machine;  ///< what runs while a machine is on (MachineProcesses); empty: nothing
};

extern const std::string_view kFleetUsage;

/// Reads `--name value` pairs behind "bmcs". invalid_argument names the word that is wrong.
Result<FleetProgram> parse_fleet_program(std::span<const std::string> arguments);

/// One line of JSON for whoever started it: {"bmcs":[{"endpoint","system"}]}.
std::string fleet_line(BmcFleet& fleet);

}  // namespace drover::sim
