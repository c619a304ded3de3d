#include "sim/bmc/bmc_tree.hpp"

#include "base/json_values.hpp"
#include "sim/bmc/bmc_services.hpp"

#include <array>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace drover::sim {
namespace {

using json::object;

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

/// The number behind `prefix` in `text`, when it is below `end`.
std::optional<uint32_t> numbered(std::string_view text, std::string_view prefix, uint32_t end) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || number >= end) {
    return std::nullopt;
  }
  return number;
}

object link(std::string_view path) {
  return {{"@odata.id", path}};
}

/// Makes resources; one of a path's answers.
class Maker {
 public:
  Maker(const BmcTraits& traits, const BmcMachines& machines, const BmcBoard& board, bool expand,
        uint32_t skip)
      : traits_(traits),
        machines_(machines),
        board_(board),
        services_{traits, board, machines,
                  [this](const std::string& path, std::string_view type,
                         const std::vector<std::string>& members) {
                    return collection(path, type, members);
                  }},
        expand_(expand),
        skip_(skip) {}

  std::optional<object> at(const std::string& path) {
    const auto parts = segments(std::string_view(path).substr(kBmcRoot.size()));
    if (parts.empty()) return root();
    if (auto service = bmc_service(services_, path, parts)) return service;
    if (parts[0] == "Systems") return below_systems(path, parts);
    if (parts[0] == "Chassis") return below_chassis(path, parts);
    if (parts[0] == "Managers") return below_managers(path, parts);
    if (parts[0] == "SessionService" && parts.size() == 1 && traits_.sessions) {
      object service = resource(path, "SessionService", "SessionService", "Session Service");
      service["Sessions"] = link(path + "/Sessions");
      return service;
    }
    return std::nullopt;
  }

 private:
  static object resource(const std::string& path, std::string_view type, std::string_view id,
                         std::string_view name) {
    return {{"@odata.id", path},
            {"@odata.type", fmt::format("#{0}.v1_5_0.{0}", type)},
            {"Id", id},
            {"Name", name}};
  }
  static object healthy() { return {{"State", "Enabled"}, {"Health", "OK"}}; }

  object root() const {
    object root = resource(std::string(kBmcRoot), "ServiceRoot", "RootService", "Root Service");
    root["RedfishVersion"] = "1.15.0";
    root["UUID"] = fmt::format("6f0e0000-0000-4000-8000-{:012x}", traits_.number);
    root["Vendor"] = traits_.vendor;
    root["Product"] = traits_.vendor + " Controller";
    for (const char* name : {"Systems", "Chassis", "Managers", "UpdateService"}) {
      root[name] = link(fmt::format("{}/{}", kBmcRoot, name));
    }
    root["Tasks"] = link(fmt::format("{}/TaskService", kBmcRoot));
    if (traits_.sessions) {
      root["SessionService"] = link(fmt::format("{}/SessionService", kBmcRoot));
      root["Links"] =
          object{{"Sessions", link(fmt::format("{}/SessionService/Sessions", kBmcRoot))}};
    }
    root["ProtocolFeaturesSupported"] = object{{"ExpandQuery", object{{"ExpandAll", traits_.expand},
                                                                      {"Levels", traits_.expand},
                                                                      {"Links", traits_.expand},
                                                                      {"NoLinks", traits_.expand},
                                                                      {"MaxLevels", 1}}}};
    return root;
  }

  object collection(const std::string& path, std::string_view type,
                    const std::vector<std::string>& members) {
    object all = resource(path, fmt::format("{}Collection", type), type, type);
    all.erase("Id");
    all["Members@odata.count"] = members.size();
    json::array page;
    const size_t begin = std::min<size_t>(skip_, members.size());
    const size_t end =
        traits_.page == 0 ? members.size() : std::min<size_t>(begin + traits_.page, members.size());
    const bool whole = std::exchange(expand_, false);
    for (size_t i = begin; i < end; ++i) {
      auto member = whole ? at(members[i]) : std::nullopt;
      page.emplace_back(member ? *std::move(member) : link(members[i]));
    }
    all["Members"] = std::move(page);
    if (end < members.size()) {
      all["Members@odata.nextLink"] =
          fmt::format("{}?$skip={}{}", path, end, whole ? "&$expand=." : "");
    }
    return all;
  }
  object numbered_collection(const std::string& path, std::string_view type,
                             std::string_view prefix, uint32_t count) {
    std::vector<std::string> members;
    for (uint32_t i = 0; i < count; ++i) members.push_back(fmt::format("{}/{}{}", path, prefix, i));
    return collection(path, type, members);
  }

  std::optional<object> below_systems(const std::string& path,
                                      const std::vector<std::string_view>& parts) {
    if (parts.size() == 1) {
      std::vector<std::string> members;
      for (uint32_t i = 0; i < traits_.systems; ++i) members.push_back(bmc_system_path(traits_, i));
      return collection(path, "ComputerSystem", members);
    }
    const auto number = bmc_system_of(traits_, path);
    if (!number) return std::nullopt;
    if (parts.size() == 2) return system(path, *number);
    const std::string_view part = parts[2];
    if (part == "Processors") return below_processors(path, parts, *number);
    if (part == "Memory") return below_memory(path, parts, *number);
    if (part == "EthernetInterfaces") return below_nics(path, parts, *number);
    if (part == "Storage") return below_storage(path, parts, *number);
    return std::nullopt;
  }

  object system(const std::string& path, uint32_t number) const {
    const BmcSystemState& state = machines_.at(number);
    const std::string id = path.substr(path.rfind('/') + 1);
    object system = resource(path, "ComputerSystem", id, "Computer " + id);
    system["SystemType"] = "Physical";
    system["Manufacturer"] = traits_.vendor;
    system["Model"] = "Model 9";
    system["SerialNumber"] = fmt::format("S{:06}-{}", traits_.number, number);
    system["PartNumber"] = "P-100";
    if (traits_.system_uuids) {
      system["UUID"] = fmt::format("6F0E0001-0000-4000-8000-{:08X}{:04X}", traits_.number, number);
    }
    system["BiosVersion"] = board_.version("BIOS");
    const std::string_view moving = state.on ? "PoweringOff" : "PoweringOn";
    system["PowerState"] = state.moving ? moving : state.on ? "On" : "Off";
    system["Status"] = healthy();
    const bool both = traits_.light == "both";
    if (both || traits_.light == "word") system["IndicatorLED"] = state.light;
    if (both || traits_.light == "simple") {
      system["LocationIndicatorActive"] = state.light != "Off";
    }
    system["ProcessorSummary"] = object{{"Count", traits_.processors},
                                        {"Model", "Example CPU 64"},
                                        {"LogicalProcessorCount", 128 * traits_.processors}};
    system["MemorySummary"] = object{{"TotalSystemMemoryGiB", 32 * traits_.dimms}};
    system["Boot"] = object{{"BootSourceOverrideEnabled", state.boot_enabled},
                            {"BootSourceOverrideTarget", state.boot_target},
                            {"BootSourceOverrideMode", state.boot_mode},
                            {"BootSourceOverrideTarget@Redfish.AllowableValues",
                             json::array{"None", "Pxe", "Hdd", "Cd", "UefiHttp", "BiosSetup"}}};
    for (const char* name : {"Processors", "Memory", "EthernetInterfaces", "Storage"}) {
      system[name] = link(fmt::format("{}/{}", path, name));
    }
    system["Links"] =
        object{{"Chassis", json::array{link(fmt::format("{}/Chassis/Enclosure", kBmcRoot))}},
               {"ManagedBy", json::array{link(fmt::format("{}/Managers/BMC", kBmcRoot))}}};
    json::array types;
    for (std::string_view rest = traits_.reset_types; !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      types.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    system["Actions"] = object{
        {"#ComputerSystem.Reset", object{{"target", path + "/Actions/ComputerSystem.Reset"},
                                         {"ResetType@Redfish.AllowableValues", std::move(types)}}}};
    return system;
  }

  std::optional<object> below_processors(const std::string& path,
                                         const std::vector<std::string_view>& parts,
                                         uint32_t system) {
    if (parts.size() == 3) {
      std::vector<std::string> members;
      for (uint32_t i = 0; i < traits_.processors; ++i) {
        members.push_back(fmt::format("{}/CPU{}", path, i));
      }
      for (uint32_t i = 0; i < traits_.gpus; ++i)
        members.push_back(fmt::format("{}/GPU{}", path, i));
      return collection(path, "Processor", members);
    }
    if (parts.size() != 4) return std::nullopt;
    const auto cpu = numbered(parts[3], "CPU", traits_.processors);
    const auto gpu = numbered(parts[3], "GPU", traits_.gpus);
    if (!cpu && !gpu) return std::nullopt;
    object processor = resource(path, "Processor", parts[3], "Processor");
    processor["ProcessorType"] = cpu ? "CPU" : "GPU";
    processor["Manufacturer"] = "Example";
    processor["Model"] = cpu ? "Example CPU 64" : "Example GPU 80G";
    processor["Socket"] = parts[3];
    if (cpu) {
      processor["ProcessorArchitecture"] = "x86";
      processor["InstructionSet"] = "x86-64";
      processor["TotalCores"] = 64;
      processor["TotalThreads"] = 128;
      processor["MaxSpeedMHz"] = 3700;
    } else {
      processor["SerialNumber"] = fmt::format("G{:06}-{}-{}", traits_.number, system, *gpu);
    }
    processor["Status"] = healthy();
    return processor;
  }

  std::optional<object> below_memory(const std::string& path,
                                     const std::vector<std::string_view>& parts, uint32_t system) {
    if (parts.size() == 3) return numbered_collection(path, "Memory", "DIMM", traits_.dimms);
    const auto number =
        parts.size() == 4 ? numbered(parts[3], "DIMM", traits_.dimms) : std::nullopt;
    if (!number) return std::nullopt;
    object memory = resource(path, "Memory", parts[3], "Memory");
    memory["MemoryDeviceType"] = "DDR5";
    memory["CapacityMiB"] = 32768;
    memory["OperatingSpeedMhz"] = 4800;
    memory["Manufacturer"] = "Example";
    memory["DeviceLocator"] = fmt::format("DIMM {}", *number);
    memory["SerialNumber"] = fmt::format("M{:06}-{}-{}", traits_.number, system, *number);
    memory["PartNumber"] = "MEM-32G";
    memory["Status"] = healthy();
    return memory;
  }

  std::optional<object> below_nics(const std::string& path,
                                   const std::vector<std::string_view>& parts, uint32_t system) {
    if (parts.size() == 3) return numbered_collection(path, "EthernetInterface", "", traits_.nics);
    const auto number = parts.size() == 4 ? numbered(parts[3], "", traits_.nics) : std::nullopt;
    if (!number) return std::nullopt;
    object nic = resource(path, "EthernetInterface", parts[3], "Ethernet");
    const auto other = traits_.macs.find(path);
    nic["MACAddress"] =
        other != traits_.macs.end() ? other->second : bmc_nic_mac(traits_, system, *number);
    nic["InterfaceEnabled"] = true;
    nic["LinkStatus"] = *number == 0 ? "LinkUp" : "LinkDown";
    nic["SpeedMbps"] = 25000;
    nic["Status"] = healthy();
    return nic;
  }

  std::optional<object> below_storage(const std::string& path,
                                      const std::vector<std::string_view>& parts, uint32_t system) {
    if (parts.size() == 3) return collection(path, "Storage", {path + "/1"});
    if (parts.size() == 4 && parts[3] == "1") {
      object storage = resource(path, "Storage", "1", "Drives of the system");
      json::array drives;
      for (uint32_t i = 0; i < traits_.drives; ++i) {
        drives.emplace_back(link(fmt::format("{}/Drives/{}", path, i)));
      }
      storage["Drives"] = std::move(drives);
      return storage;
    }
    const auto number = parts.size() == 6 && parts[3] == "1" && parts[4] == "Drives"
                            ? numbered(parts[5], "", traits_.drives)
                            : std::nullopt;
    if (!number) return std::nullopt;
    object drive = resource(path, "Drive", parts[5], "Drive");
    drive["Manufacturer"] = "Example";
    drive["Model"] = "NV-1920";
    drive["SerialNumber"] = fmt::format("D{:06}-{}-{}", traits_.number, system, *number);
    drive["MediaType"] = "SSD";
    drive["Protocol"] = "NVMe";
    drive["CapacityBytes"] = uint64_t{1'920'383'410'176};
    drive["Revision"] = "1.2";
    drive["Status"] = healthy();
    return drive;
  }

  std::optional<object> below_chassis(const std::string& path,
                                      const std::vector<std::string_view>& parts) {
    if (parts.size() == 1) return collection(path, "Chassis", {path + "/Enclosure"});
    if (parts[1] != "Enclosure") return std::nullopt;
    if (parts.size() == 3 && parts[2] == "Power") return power(path);
    if (parts.size() == 3 && parts[2] == "Thermal") return thermal(path);
    if (parts.size() != 2) return std::nullopt;
    object chassis = resource(path, "Chassis", "Enclosure", "Enclosure");
    chassis["ChassisType"] = "RackMount";
    chassis["Manufacturer"] = traits_.vendor;
    chassis["Model"] = "Enclosure 2U";
    chassis["SerialNumber"] = fmt::format("C{:06}", traits_.number);
    chassis["Status"] = healthy();
    chassis["PowerState"] = "On";
    chassis["Power"] = link(path + "/Power");
    if (!traits_.sensors) chassis["Thermal"] = link(path + "/Thermal");
    if (traits_.caps == "controls") chassis["Controls"] = link(path + "/Controls");
    if (traits_.caps == "environment") {
      chassis["EnvironmentMetrics"] = link(path + "/EnvironmentMetrics");
    }
    if (traits_.sensors) chassis["Sensors"] = link(path + "/Sensors");
    json::array systems;
    for (uint32_t i = 0; i < traits_.systems; ++i) {
      systems.emplace_back(link(bmc_system_path(traits_, i)));
    }
    chassis["Links"] = object{{"ComputerSystems", std::move(systems)}};
    return chassis;
  }

  object power(const std::string& path) const {
    object power = resource(path, "Power", "Power", "Power");
    const bool on = traits_.systems > 0 && machines_.at(0).on;
    object control{{"@odata.id", path + "#/PowerControl/0"},
                   {"MemberId", "0"},
                   {"Name", "Whole enclosure"},
                   {"PowerConsumedWatts", on ? 412.5 : 14.0},
                   {"PowerCapacityWatts", 1600}};
    if (traits_.caps == "power") {
      control["PowerLimit"] =
          object{{"LimitInWatts", board_.cap() == 0 ? json::value() : json::value(board_.cap())}};
    }
    power["PowerControl"] = json::array{std::move(control)};
    json::array supplies;
    for (int i = 0; i < 2; ++i) {
      supplies.emplace_back(object{{"@odata.id", fmt::format("{}#/PowerSupplies/{}", path, i)},
                                   {"MemberId", std::to_string(i)},
                                   {"Name", fmt::format("Supply {}", i)},
                                   {"PowerCapacityWatts", 800},
                                   {"SerialNumber", fmt::format("W{:06}-{}", traits_.number, i)},
                                   {"FirmwareVersion", "1.0"},
                                   {"Status", healthy()}});
    }
    power["PowerSupplies"] = std::move(supplies);
    return power;
  }

  object thermal(const std::string& path) const {
    object thermal = resource(path, "Thermal", "Thermal", "Thermal");
    const bool on = traits_.systems > 0 && machines_.at(0).on;
    thermal["Temperatures"] = json::array{object{{"MemberId", "0"},
                                                 {"Name", "CPU0"},
                                                 {"ReadingCelsius", on ? 58 : 24},
                                                 {"UpperThresholdCritical", 95},
                                                 {"Status", healthy()}}};
    thermal["Fans"] = json::array{object{{"MemberId", "0"},
                                         {"Name", "Fan 0"},
                                         {"Reading", on ? 7200 : 0},
                                         {"ReadingUnits", "RPM"},
                                         {"Status", healthy()}}};
    return thermal;
  }

  std::optional<object> below_managers(const std::string& path,
                                       const std::vector<std::string_view>& parts) {
    if (parts.size() == 1) return collection(path, "Manager", {path + "/BMC"});
    if (parts[1] != "BMC") return std::nullopt;
    if (parts.size() == 2) {
      object manager = resource(path, "Manager", "BMC", "Manager");
      manager["ManagerType"] = "BMC";
      manager["UUID"] = fmt::format("6f0e0002-0000-4000-8000-{:012x}", traits_.number);
      manager["FirmwareVersion"] = board_.version("BMC");
      manager["LogServices"] = link(path + "/LogServices");
      manager["Model"] = "Controller 2";
      manager["Status"] = healthy();
      manager["EthernetInterfaces"] = link(path + "/EthernetInterfaces");
      manager["SerialConsole"] =
          object{{"ServiceEnabled", true}, {"ConnectTypesSupported", json::array{"SSH", "IPMI"}}};
      manager["CommandShell"] =
          object{{"ServiceEnabled", true}, {"ConnectTypesSupported", json::array{"SSH"}}};
      return manager;
    }
    if (parts[2] != "EthernetInterfaces") return std::nullopt;
    if (parts.size() == 3) return collection(path, "EthernetInterface", {path + "/eth0"});
    if (parts.size() != 4 || parts[3] != "eth0") return std::nullopt;
    object nic = resource(path, "EthernetInterface", "eth0", "Manager's interface");
    nic["MACAddress"] = fmt::format("02:BC:{:02X}:{:02X}:{:02X}:00", (traits_.number >> 16) & 0xFF,
                                    (traits_.number >> 8) & 0xFF, traits_.number & 0xFF);
    nic["IPv4Addresses"] = json::array{
        object{{"Address", fmt::format("10.{}.{}.{}", (traits_.number >> 16) & 0xFF,
                                       (traits_.number >> 8) & 0xFF, traits_.number & 0xFF)},
               {"SubnetMask", "255.0.0.0"}}};
    return nic;
  }

  const BmcTraits& traits_;
  const BmcMachines& machines_;
  const BmcBoard& board_;
  BmcServices services_;
  bool expand_;
  uint32_t skip_;
};

}  // namespace

std::string bmc_system_path(const BmcTraits& traits, uint32_t system) {
  return fmt::format("{}/Systems/{}", kBmcRoot,
                     fmt::format(fmt::runtime(traits.system_id), system));
}

std::optional<uint32_t> bmc_system_of(const BmcTraits& traits, std::string_view path) {
  for (uint32_t i = 0; i < traits.systems; ++i) {
    const std::string own = bmc_system_path(traits, i);
    if (path == own || (path.starts_with(own) && path[own.size()] == '/')) return i;
  }
  return std::nullopt;
}

std::string bmc_nic_path(const BmcTraits& traits, uint32_t system, uint32_t nic) {
  return fmt::format("{}/EthernetInterfaces/{}", bmc_system_path(traits, system), nic);
}

std::string bmc_nic_mac(const BmcTraits& traits, uint32_t system, uint32_t nic) {
  return fmt::format("02:BB:{:02X}:{:02X}:{:02X}:{:02X}", (traits.number >> 8) & 0xFF,
                     traits.number & 0xFF, system & 0xFF, nic & 0xFF);
}

std::optional<std::string> bmc_resource(const BmcTraits& traits, const BmcMachines& machines,
                                        const BmcBoard& board, std::string_view path, bool expand,
                                        uint32_t skip) {
  if (!path.starts_with(kBmcRoot)) return std::nullopt;
  Maker maker(traits, machines, board, expand, skip);
  const auto made = maker.at(std::string(path));
  if (!made) return std::nullopt;
  return json::serialize(*made);
}

}  // namespace drover::sim
