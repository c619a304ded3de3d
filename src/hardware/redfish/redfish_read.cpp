#include "hardware/redfish/redfish_read.hpp"

#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

using cluster::BmcConsole;
using cluster::BmcNic;
using cluster::BmcPowerState;
using cluster::BmcReading;
using cluster::BmcReadings;
using cluster::BmcReset;
using cluster::BmcSensorKind;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return text;
}

/// An action's target and the kinds that it says it takes.
BmcReset read_reset(const RedfishNode& node, std::string_view action) {
  const RedfishNode found = node.at("Actions").at(action);
  BmcReset reset;
  reset.target = redfish_path(found.text("target"));
  if (!reset.target.empty()) reset.allowed = found.texts("ResetType@Redfish.AllowableValues");
  return reset;
}

std::vector<std::string> console_protocols(const RedfishNode& console) {
  auto found = console.texts("ConnectTypesSupported");
  for (const char* name : {"SSH", "IPMI", "Telnet", "WebSocket"}) {
    if (console.at(name).boolean("ServiceEnabled").value_or(false)) found.emplace_back(name);
  }
  return found;
}

BmcConsole read_console(const RedfishNode& node) {
  BmcConsole console;
  const RedfishNode serial = node.at("SerialConsole");
  const RedfishNode shell = node.at("CommandShell");
  console.protocols = console_protocols(serial);
  console.serial = serial.boolean("ServiceEnabled").value_or(!console.protocols.empty());
  console.shell = shell.boolean("ServiceEnabled").value_or(false);
  const auto port = serial.at("SSH").natural("Port");
  if (port && *port > 0 && *port < 65536) console.ssh_port = static_cast<uint16_t>(*port);
  return console;
}

/// Addresses that are none are warned of and left out; "0.0.0.0" and "::" mean none.
void read_addresses(const RedfishNode& node, std::string_view list, BmcNic& nic,
                    BmcWarnings& warnings) {
  for (const RedfishNode& item : node.items(list)) {
    const std::string text = item.text("Address");
    if (text.empty() || text == "0.0.0.0" || text == "::") continue;
    auto address = cluster::canonical_address(text);
    if (!address || address->find('/') != std::string::npos) {
      warnings.add(nic.path, fmt::format("address '{}' is none and was left out", text));
    } else if (std::ranges::find(nic.addresses, *address) == nic.addresses.end()) {
      nic.addresses.push_back(*std::move(address));
    }
  }
}

std::string read_mac(const RedfishNode& node, std::string_view name, const std::string& path,
                     BmcWarnings& warnings) {
  const std::string text = node.text(name);
  if (text.empty()) return {};
  auto mac = cluster::canonical_mac(text);
  if (mac) return *std::move(mac);
  warnings.add(path, fmt::format("{} '{}' is none and was left out", name, text));
  return {};
}

void add_reading(const RedfishNode& item, std::string_view value, BmcReading reading,
                 BmcReadings& readings) {
  const auto read = item.number(value);
  if (!read || readings.readings.size() >= cluster::kMaxBmcList) return;
  reading.value = *read;
  reading.upper_critical = item.number("UpperThresholdCritical");
  reading.health = item.at("Status").text("Health");
  readings.readings.push_back(std::move(reading));
}

}  // namespace

void BmcWarnings::add(std::string_view path, std::string_view text) {
  if (all_.size() + 1 >= cluster::kMaxBmcWarnings) {
    ++left_out_;
    return;
  }
  all_.push_back({cluster::bmc_text(path), cluster::bmc_text(text)});
}

std::vector<cluster::BmcWarning> BmcWarnings::take() {
  std::ranges::sort(all_, {}, [](const auto& w) { return std::tie(w.path, w.text); });
  if (left_out_ > 0) {
    all_.push_back(
        {"", fmt::format("{} more warnings were left out", std::exchange(left_out_, 0))});
  }
  return std::move(all_);
}

cluster::BmcIdentity read_identity(const RedfishNode& node, std::string_view path) {
  cluster::BmcIdentity identity;
  identity.path = path;
  identity.id = node.text("Id");
  if (identity.id.empty()) identity.id = node.text("MemberId");
  if (identity.id.empty()) identity.id = cluster::bmc_text(path.substr(path.rfind('/') + 1));
  identity.name = node.text("Name");
  identity.manufacturer = node.text("Manufacturer");
  identity.model = node.text("Model");
  identity.serial = node.text("SerialNumber");
  identity.part_number = node.text("PartNumber");
  identity.health = node.at("Status").text("Health");
  return identity;
}

BmcPowerState read_power(const RedfishNode& node) {
  static constexpr std::array<std::pair<std::string_view, BmcPowerState>, 5> kStates{{
      {"On", BmcPowerState::on},
      {"Off", BmcPowerState::off},
      {"PoweringOn", BmcPowerState::powering_on},
      {"PoweringOff", BmcPowerState::powering_off},
      {"Paused", BmcPowerState::paused},
  }};
  const std::string text = node.text("PowerState");
  for (const auto& [name, state] : kStates) {
    if (text == name) return state;
  }
  return BmcPowerState::unknown;
}

bool is_present(const RedfishNode& node) {
  return node.at("Status").text("State") != "Absent";
}

cluster::BmcSystem read_system(const RedfishNode& node, std::string_view path) {
  cluster::BmcSystem system;
  system.identity = read_identity(node, path);
  system.uuid = lower(node.text("UUID"));
  system.kind = node.text("SystemType");
  system.sku = node.text("SKU");
  system.asset_tag = node.text("AssetTag");
  system.host_name = node.text("HostName");
  system.bios_version = node.text("BiosVersion");
  system.power = read_power(node);
  system.restore_policy = node.text("PowerRestorePolicy");
  const RedfishNode processors = node.at("ProcessorSummary");
  system.processor_count = processors.natural32("Count");
  system.processor_model = processors.text("Model");
  system.logical_processors = processors.natural32("LogicalProcessorCount");
  if (const auto gib = node.at("MemorySummary").number("TotalSystemMemoryGiB");
      gib && *gib >= 0 && *gib < 1e9) {
    system.memory_mib = static_cast<uint64_t>(*gib * 1024);
  }
  system.reset = read_reset(node, "#ComputerSystem.Reset");
  const RedfishNode boot = node.at("Boot");
  system.boot.enabled = boot.text("BootSourceOverrideEnabled");
  system.boot.target = boot.text("BootSourceOverrideTarget");
  system.boot.mode = boot.text("BootSourceOverrideMode");
  system.boot.allowed = boot.texts("BootSourceOverrideTarget@Redfish.AllowableValues");
  system.console = read_console(node);
  system.chassis = node.at("Links").links("Chassis");
  system.managers = node.at("Links").links("ManagedBy");
  return system;
}

cluster::BmcManager read_manager(const RedfishNode& node, std::string_view path) {
  cluster::BmcManager manager;
  manager.identity = read_identity(node, path);
  manager.uuid = lower(node.text("UUID"));
  manager.kind = node.text("ManagerType");
  manager.firmware_version = node.text("FirmwareVersion");
  manager.reset = read_reset(node, "#Manager.Reset");
  manager.console = read_console(node);
  return manager;
}

cluster::BmcChassis read_chassis(const RedfishNode& node, std::string_view path) {
  cluster::BmcChassis chassis;
  chassis.identity = read_identity(node, path);
  chassis.kind = node.text("ChassisType");
  chassis.sku = node.text("SKU");
  chassis.asset_tag = node.text("AssetTag");
  chassis.power = read_power(node);
  chassis.reset = read_reset(node, "#Chassis.Reset");
  chassis.contained_by = node.at("Links").link("ContainedBy");
  chassis.systems = node.at("Links").links("ComputerSystems");
  return chassis;
}

cluster::BmcProcessor read_processor(const RedfishNode& node, std::string_view path) {
  cluster::BmcProcessor processor;
  processor.identity = read_identity(node, path);
  processor.kind = node.text("ProcessorType");
  processor.architecture = node.text("ProcessorArchitecture");
  processor.instruction_set = node.text("InstructionSet");
  processor.socket = node.text("Socket");
  processor.cores = node.natural32("TotalCores");
  processor.threads = node.natural32("TotalThreads");
  processor.max_mhz = node.natural32("MaxSpeedMHz");
  return processor;
}

cluster::BmcMemory read_memory(const RedfishNode& node, std::string_view path) {
  cluster::BmcMemory memory;
  memory.identity = read_identity(node, path);
  memory.kind = node.text("MemoryDeviceType");
  memory.locator = node.text("DeviceLocator");
  memory.capacity_mib = node.natural("CapacityMiB");
  memory.speed_mhz = node.natural32("OperatingSpeedMhz");
  return memory;
}

cluster::BmcDrive read_drive(const RedfishNode& node, std::string_view path) {
  cluster::BmcDrive drive;
  drive.identity = read_identity(node, path);
  drive.media = node.text("MediaType");
  drive.protocol = node.text("Protocol");
  drive.capacity_bytes = node.natural("CapacityBytes");
  drive.firmware = node.text("Revision");
  return drive;
}

cluster::BmcNic read_nic(const RedfishNode& node, std::string_view path, BmcWarnings& warnings) {
  BmcNic nic;
  const auto identity = read_identity(node, path);
  nic.id = identity.id;
  nic.path = identity.path;
  nic.name = identity.name;
  nic.description = node.text("Description");
  nic.mac = read_mac(node, "MACAddress", nic.path, warnings);
  nic.permanent_mac = read_mac(node, "PermanentMACAddress", nic.path, warnings);
  read_addresses(node, "IPv4Addresses", nic, warnings);
  read_addresses(node, "IPv6Addresses", nic, warnings);
  nic.enabled = node.boolean("InterfaceEnabled");
  nic.link = node.text("LinkStatus");
  nic.speed_mbps = node.natural32("SpeedMbps");
  return nic;
}

cluster::BmcFirmware read_firmware(const RedfishNode& node, std::string_view path) {
  const auto identity = read_identity(node, path);
  return {identity.id, identity.path, identity.name, node.text("Version"),
          node.boolean("Updateable")};
}

void read_power_resource(const RedfishNode& node, std::string_view path,
                         cluster::BmcChassis& chassis, BmcReadings& readings) {
  for (const RedfishNode& item : node.items("PowerSupplies")) {
    if (!is_present(item) || chassis.power_supplies.size() >= cluster::kMaxBmcList) continue;
    cluster::BmcPowerSupply supply;
    supply.identity = read_identity(item, path);
    supply.identity.path = fmt::format("{}#/PowerSupplies/{}", path, chassis.power_supplies.size());
    supply.capacity_watts = item.number("PowerCapacityWatts");
    supply.firmware = item.text("FirmwareVersion");
    chassis.power_supplies.push_back(std::move(supply));
  }
  for (const RedfishNode& item : node.items("PowerControl")) {
    if (chassis.power_controls.size() >= cluster::kMaxBmcList) break;
    cluster::BmcPowerControl control;
    control.path = fmt::format("{}#/PowerControl/{}", path, chassis.power_controls.size());
    control.id = read_identity(item, control.path).id;
    control.name = item.text("Name");
    control.capacity_watts = item.number("PowerCapacityWatts");
    control.limit_watts = item.at("PowerLimit").number("LimitInWatts");
    BmcReading reading;
    reading.chassis = chassis.identity.path;
    reading.name = control.name.empty() ? control.id : control.name;
    reading.kind = BmcSensorKind::power;
    reading.unit = "W";
    add_reading(item, "PowerConsumedWatts", std::move(reading), readings);
    chassis.power_controls.push_back(std::move(control));
  }
  for (const RedfishNode& item : node.items("Voltages")) {
    add_reading(item, "ReadingVolts",
                {chassis.identity.path, item.text("Name"), BmcSensorKind::voltage, "V", 0, {}, ""},
                readings);
  }
}

void read_thermal(const RedfishNode& node, const std::string& chassis, BmcReadings& readings) {
  for (const RedfishNode& item : node.items("Temperatures")) {
    add_reading(item, "ReadingCelsius",
                {chassis, item.text("Name"), BmcSensorKind::temperature, "Cel", 0, {}, ""},
                readings);
  }
  for (const RedfishNode& item : node.items("Fans")) {
    const std::string unit = item.text("ReadingUnits") == "Percent" ? "%" : "RPM";
    std::string name = item.text("Name");
    if (name.empty()) name = item.text("FanName");
    add_reading(item, "Reading", {chassis, std::move(name), BmcSensorKind::fan, unit, 0, {}, ""},
                readings);
  }
}

void read_sensor(const RedfishNode& node, const std::string& chassis, BmcReadings& readings) {
  static constexpr std::array<std::pair<std::string_view, BmcSensorKind>, 4> kKinds{{
      {"Temperature", BmcSensorKind::temperature},
      {"Rotational", BmcSensorKind::fan},
      {"Voltage", BmcSensorKind::voltage},
      {"Power", BmcSensorKind::power},
  }};
  BmcReading reading;
  reading.chassis = chassis;
  reading.name = node.text("Name");
  reading.unit = node.text("ReadingUnits");
  const std::string type = node.text("ReadingType");
  for (const auto& [name, kind] : kKinds) {
    if (type == name) reading.kind = kind;
  }
  const size_t before = readings.readings.size();
  add_reading(node, "Reading", std::move(reading), readings);
  if (readings.readings.size() == before) return;
  readings.readings.back().upper_critical =
      node.at("Thresholds").at("UpperCritical").number("Reading");
}

}  // namespace drover::hardware
