#include "sim/bmc/fleet_program.hpp"

#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "sim/bmc/bmc_tree.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::sim {
namespace {

tl::unexpected<Error> bad(std::string_view name, std::string_view value,
                          std::string_view expected) {
  return fail(Code::invalid_argument,
              fmt::format("{}: expected {}, got '{}'", name, expected, value));
}

Result<uint32_t> number(std::string_view name, std::string_view value, uint32_t most) {
  uint32_t read = 0;
  const auto end = std::from_chars(value.data(), value.data() + value.size(), read);
  if (end.ec != std::errc{} || end.ptr != value.data() + value.size() || read > most) {
    return bad(name, value, fmt::format("a whole number up to {}", most));
  }
  return read;
}

Result<bool> truth(std::string_view name, std::string_view value) {
  if (value == "yes") return true;
  if (value == "no") return false;
  return bad(name, value, "yes or no");
}

/// Numbers of the traits, and milliseconds.
Status set_number(BmcFleetOptions& fleet, std::string_view name, std::string_view value,
                  bool& known) {
  const auto milliseconds = [&](Duration& to) -> Status {
    DROVER_TRY(const uint32_t read, number(name, value, 3'600'000));
    to = std::chrono::milliseconds(read);
    return {};
  };
  const auto count = [&](uint32_t& to, uint32_t most) -> Status {
    DROVER_TRY(to, number(name, value, most));
    return {};
  };
  BmcTraits& traits = fleet.traits;
  if (name == "--count") return count(fleet.count, 15'000);
  if (name == "--first") return count(fleet.first, 1'000'000);
  if (name == "--systems") return count(traits.systems, 128);
  if (name == "--nics") return count(traits.nics, 64);
  if (name == "--gpus") return count(traits.gpus, 64);
  if (name == "--lock-out-after") return count(traits.lock_out_after, 1000);
  if (name == "--latency") return milliseconds(traits.latency);
  if (name == "--jitter") return milliseconds(traits.latency_jitter);
  if (name == "--power-time") return milliseconds(traits.power_time);
  if (name == "--shutdown-time") return milliseconds(traits.shutdown_time);
  known = false;
  return {};
}

Status set(FleetProgram& program, std::string_view name, const std::string& value) {
  bool known = true;
  BmcFleetOptions& fleet = program.fleet;
  DROVER_CHECK_OK(set_number(fleet, name, value, known));
  if (known) return {};
  if (name == "--host") {
    fleet.host = value;
  } else if (name == "--port") {
    DROVER_TRY(const uint32_t read, number(name, value, 65535));
    fleet.port = static_cast<uint16_t>(read);
  } else if (name == "--user") {
    fleet.traits.user = value;
  } else if (name == "--password") {
    fleet.traits.password = value;
  } else if (name == "--certificate") {
    program.certificate_file = value;
  } else if (name == "--key") {
    program.key_file = value;
  } else if (name == "--machine") {
    program.machine = value;
  } else if (name == "--mac") {
    fleet.traits.macs[bmc_nic_path(fleet.traits, 0, 0)] = value;
  } else if (name == "--expand") {
    DROVER_TRY(fleet.traits.expand, truth(name, value));
  } else if (name == "--starts-on") {
    DROVER_TRY(fleet.traits.starts_on, truth(name, value));
  } else if (name == "--ignores-graceful") {
    DROVER_TRY(fleet.traits.ignores_graceful, truth(name, value));
  } else if (name == "--spread") {
    DROVER_TRY(fleet.spread, truth(name, value));
  } else if (name == "--stuck") {
    DROVER_TRY(fleet.traits.stuck, truth(name, value));
  } else if (name == "--by-task") {
    DROVER_TRY(fleet.traits.reset_by_task, truth(name, value));
  } else if (name == "--hostility") {
    const auto kind = enum_from_name<BmcHostility>(value);
    if (!kind) return bad(name, value, "one of silent, slow, endless, huge, deep and so on");
    fleet.traits.hostility = *kind;
  } else {
    return fail(Code::invalid_argument, fmt::format("unknown option '{}'", name));
  }
  return {};
}

}  // namespace

const std::string_view kFleetUsage =
    "usage: drover-sim bmcs [--count N] [--host ADDRESS] [--port FIRST] [--systems N] [--gpus N]\n"
    "         [--spread yes] [--nics N]\n"
    "         [--latency MS] [--jitter MS] [--power-time MS] [--shutdown-time MS] [--expand yes]\n"
    "         [--user NAME] [--password WORD] [--lock-out-after N] [--certificate PEM --key PEM]\n"
    "         [--starts-on yes] [--ignores-graceful yes] [--stuck yes] [--by-task yes]\n"
    "         [--hostility KIND] [--first NUMBER] [--machine PROGRAM] [--mac MAC]\n"
    "Serves emulated BMCs by Redfish until it is told to end; says where in one line of JSON.\n"
    "PROGRAM NUMBER SYSTEM BOOT-DEVICE runs while a machine is on. MAC is that of each first "
    "NIC.\nSpread, each BMC has the same port of the next address in place of the next port.\n";

Result<FleetProgram> parse_fleet_program(std::span<const std::string> arguments) {
  FleetProgram program;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) {
      return fail(Code::invalid_argument, fmt::format("'{}' needs a value", arguments[i]));
    }
    DROVER_CHECK_OK(set(program, arguments[i], arguments[i + 1]));
  }
  if (program.fleet.count == 0) return bad("--count", "0", "at least 1");
  if (program.certificate_file.empty() != program.key_file.empty()) {
    return fail(Code::invalid_argument, "--certificate and --key go together");
  }
  return program;
}

namespace {

std::string first_mac(const BmcTraits& traits) {
  const auto other = traits.macs.find(bmc_nic_path(traits, 0, 0));
  return other == traits.macs.end() ? bmc_nic_mac(traits, 0, 0) : other->second;
}

}  // namespace

std::string fleet_line(BmcFleet& fleet) {
  json::array bmcs;
  for (size_t i = 0; i < fleet.size(); ++i) {
    const BmcTraits& traits = fleet.at(i).bmc().traits();
    bmcs.emplace_back(json::object{{"endpoint", fleet.endpoint(i).text()},
                                   {"system", bmc_system_path(traits, 0)},
                                   {"mac", first_mac(traits)}});
  }
  return json::serialize(json::object{{"bmcs", std::move(bmcs)}}) + "\n";
}

}  // namespace drover::sim
