// What a look through one BMC finds: the controllers, computers, enclosures and parts behind it,
// and apart from them what its sensors read, which changes by itself. Values alone: who looks is
// hardware/redfish.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Bounds of one inventory, whatever the BMC says; check() refuses more. The largest machines known
/// (blade enclosures, eight-GPU systems) stay below a tenth of them.
inline constexpr size_t kMaxBmcText = 512;   ///< bytes of one text
inline constexpr size_t kMaxBmcList = 2048;  ///< entries of one list
inline constexpr size_t kMaxBmcSystems = 128;
inline constexpr size_t kMaxBmcWarnings = 256;
inline constexpr size_t kMaxBmcInventoryBytes = size_t{4} << 20;  ///< of the whole, as JSON

/// Redfish's PowerState (DSP0268, Resource.PowerState); `unknown` when the BMC does not say.
enum class BmcPowerState : uint8_t { unknown, off, on, powering_on, powering_off, paused };
std::span<const std::string_view> enum_names(BmcPowerState);

/// What tells one piece from another. Each text is empty when the BMC does not say.
struct BmcIdentity {
  std::string id;    ///< the resource's own, unique in its collection: "Node0", "DIMM3", "Self"
  std::string path;  ///< its @odata.id, a path without host: "/redfish/v1/Systems/Node0"
  std::string name;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string part_number;
  std::string health;  ///< Status.Health: OK, Warning or Critical
  bool operator==(const BmcIdentity&) const = default;
  /// Its fields, as fields of the struct that it is the beginning of.
  void describe_into(Visitor& v);
};

/// A network interface as a BMC lists it. Kept also without a MAC or address, and with ones that
/// are none: these are then empty or left out, and a warning says so.
struct BmcNic {
  static constexpr std::string_view kTypeName = "BmcNic";
  std::string id;
  std::string path;
  std::string name;
  std::string description;
  std::string mac;                     ///< canonical; empty: none that is valid
  std::string permanent_mac;           ///< canonical; empty: none that is valid
  std::vector<std::string> addresses;  ///< canonical, without prefix
  std::optional<bool> enabled;
  std::string link;  ///< LinkUp, LinkDown, NoLink
  std::optional<uint32_t> speed_mbps;
  bool operator==(const BmcNic&) const = default;
  void describe(Visitor& v);
};

/// An action of a resource that takes a kind of reset.
struct BmcReset {
  static constexpr std::string_view kTypeName = "BmcReset";
  std::string target;                ///< the path to POST to; empty: the resource has no reset
  std::vector<std::string> allowed;  ///< kinds that it takes, in its order; empty: it does not say
  bool operator==(const BmcReset&) const = default;
  void describe(Visitor& v);
};

struct BmcProcessor {
  static constexpr std::string_view kTypeName = "BmcProcessor";
  BmcIdentity identity;
  std::string kind;          ///< ProcessorType: CPU, GPU, FPGA, Accelerator ..
  std::string architecture;  ///< ProcessorArchitecture: x86, ARM ..
  std::string instruction_set;
  std::string socket;
  std::optional<uint32_t> cores;
  std::optional<uint32_t> threads;
  std::optional<uint32_t> max_mhz;
  bool operator==(const BmcProcessor&) const = default;
  void describe(Visitor& v);
};

struct BmcMemory {
  static constexpr std::string_view kTypeName = "BmcMemory";
  BmcIdentity identity;
  std::string kind;     ///< MemoryDeviceType: DDR5 ..
  std::string locator;  ///< DeviceLocator: "DIMM A1"
  std::optional<uint64_t> capacity_mib;
  std::optional<uint32_t> speed_mhz;
  bool operator==(const BmcMemory&) const = default;
  void describe(Visitor& v);
};

struct BmcDrive {
  static constexpr std::string_view kTypeName = "BmcDrive";
  BmcIdentity identity;
  std::string media;     ///< MediaType: SSD, HDD ..
  std::string protocol;  ///< NVMe, SATA ..
  std::string storage;   ///< id of the controller's Storage resource
  std::optional<uint64_t> capacity_bytes;
  std::string firmware;
  bool operator==(const BmcDrive&) const = default;
  void describe(Visitor& v);
};

/// A way to a console: SerialConsole and CommandShell of a system or manager.
struct BmcConsole {
  static constexpr std::string_view kTypeName = "BmcConsole";
  bool serial = false;                 ///< the console of the computer
  bool shell = false;                  ///< a command line of the controller itself
  std::vector<std::string> protocols;  ///< SSH, IPMI, Telnet, Oem
  std::optional<uint16_t> ssh_port;
  bool operator==(const BmcConsole&) const = default;
  void describe(Visitor& v);
};

/// What a system boots from next, as far as its BMC is told.
struct BmcBoot {
  static constexpr std::string_view kTypeName = "BmcBoot";
  std::string enabled;  ///< Disabled, Once or Continuous
  std::string target;   ///< None, Pxe, Hdd, UefiHttp ..
  std::string mode;     ///< Legacy or UEFI; empty: the system has no choice
  std::vector<std::string> allowed;
  bool operator==(const BmcBoot&) const = default;
  void describe(Visitor& v);
};

/// One computer. A BMC may have several; they are in natural order of their ids.
struct BmcSystem {
  static constexpr std::string_view kTypeName = "BmcSystem";
  BmcIdentity identity;
  std::string uuid;  ///< lower case; empty: the BMC has none, which multi-node ones do
  std::string kind;  ///< SystemType: Physical ..
  std::string sku;
  std::string asset_tag;
  std::string host_name;
  std::string bios_version;
  BmcPowerState power = BmcPowerState::unknown;
  std::string restore_policy;  ///< PowerRestorePolicy: AlwaysOn, AlwaysOff, LastState
  std::optional<uint32_t> processor_count;
  std::string processor_model;
  std::optional<uint32_t> logical_processors;
  std::optional<uint64_t> memory_mib;
  BmcReset reset;
  BmcBoot boot;
  BmcConsole console;
  std::vector<BmcProcessor> processors;    ///< CPUs
  std::vector<BmcProcessor> accelerators;  ///< GPUs and whatever else computes
  std::vector<BmcMemory> memory;
  std::vector<BmcDrive> drives;
  std::vector<BmcNic> nics;
  std::vector<std::string> chassis;   ///< paths of the enclosures that it is in
  std::vector<std::string> managers;  ///< paths of its controllers
  bool operator==(const BmcSystem&) const = default;
  void describe(Visitor& v);
};

/// A controller. Not every manager is a BMC: enclosure and PCIe managers are listed beside them.
struct BmcManager {
  static constexpr std::string_view kTypeName = "BmcManager";
  BmcIdentity identity;
  std::string uuid;
  std::string kind;  ///< ManagerType: BMC, EnclosureManager ..
  std::string firmware_version;
  BmcReset reset;
  BmcConsole console;
  std::vector<BmcNic> nics;
  bool operator==(const BmcManager&) const = default;
  void describe(Visitor& v);
};

struct BmcPowerSupply {
  static constexpr std::string_view kTypeName = "BmcPowerSupply";
  BmcIdentity identity;
  std::optional<double> capacity_watts;
  std::string firmware;
  bool operator==(const BmcPowerSupply&) const = default;
  void describe(Visitor& v);
};

/// One place at which an enclosure's power is measured and may be limited.
struct BmcPowerControl {
  static constexpr std::string_view kTypeName = "BmcPowerControl";
  std::string id;
  std::string path;
  std::string name;
  std::optional<double> capacity_watts;
  std::optional<double> limit_watts;  ///< what it is limited to; null: it is not
  bool operator==(const BmcPowerControl&) const = default;
  void describe(Visitor& v);
};

struct BmcChassis {
  static constexpr std::string_view kTypeName = "BmcChassis";
  BmcIdentity identity;
  std::string kind;  ///< ChassisType: RackMount, Blade ..
  std::string sku;
  std::string asset_tag;
  BmcPowerState power = BmcPowerState::unknown;
  BmcReset reset;
  std::vector<BmcPowerSupply> power_supplies;
  std::vector<BmcPowerControl> power_controls;
  std::string contained_by;          ///< path of the chassis around it
  std::vector<std::string> systems;  ///< paths of the computers in it
  bool operator==(const BmcChassis&) const = default;
  void describe(Visitor& v);
};

struct BmcFirmware {
  static constexpr std::string_view kTypeName = "BmcFirmware";
  std::string id;
  std::string path;
  std::string name;
  std::string version;
  std::optional<bool> updateable;
  bool operator==(const BmcFirmware&) const = default;
  void describe(Visitor& v);
};

/// Something that the BMC said and that was not taken as it stands.
struct BmcWarning {
  static constexpr std::string_view kTypeName = "BmcWarning";
  std::string path;  ///< of the resource
  std::string text;
  bool operator==(const BmcWarning&) const = default;
  void describe(Visitor& v);
};

/// Everything behind one BMC that stays as it is until somebody changes it: two looks at the same
/// hardware are equal. Lists are in natural order of their ids.
struct BmcInventory {
  static constexpr std::string_view kTypeName = "BmcInventory";
  std::string redfish_version;  ///< "1.18.0"
  std::string uuid;             ///< of the service; lower case
  std::string vendor;
  std::string product;
  std::vector<BmcManager> managers;
  std::vector<BmcSystem> systems;
  std::vector<BmcChassis> chassis;
  std::vector<BmcFirmware> firmware;
  std::string update_target;  ///< where SimpleUpdate is posted; empty: it is not offered
  std::string event_stream;   ///< path of the server-sent events; empty: not offered
  bool complete = true;       ///< false: bounds, faults or the deadline left something out
  std::vector<BmcWarning> warnings;
  bool operator==(const BmcInventory&) const = default;
  void describe(Visitor& v);
};

enum class BmcSensorKind : uint8_t { temperature, fan, voltage, power, other };
std::span<const std::string_view> enum_names(BmcSensorKind);

struct BmcReading {
  static constexpr std::string_view kTypeName = "BmcReading";
  std::string chassis;  ///< path of the enclosure
  std::string name;
  BmcSensorKind kind = BmcSensorKind::other;
  std::string unit;  ///< Cel, RPM, %, V, W (UCUM, as Redfish writes them)
  double value = 0;
  std::optional<double> upper_critical;
  std::string health;
  bool operator==(const BmcReading&) const = default;
  void describe(Visitor& v);
};

/// What the sensors said at one moment.
struct BmcReadings {
  static constexpr std::string_view kTypeName = "BmcReadings";
  std::vector<BmcReading> readings;
  bool operator==(const BmcReadings&) const = default;
  void describe(Visitor& v);
};

/// `text` of a BMC fit to be kept: without spaces around it, control characters and bytes that are
/// not UTF-8 written out (base/text.hpp), at most kMaxBmcText bytes.
std::string bmc_text(std::string_view text);

/// Whether it keeps to the bounds above and holds no control character; the error (too_large,
/// invalid_argument) names the field.
Status check(const BmcInventory& inventory);

}  // namespace drover::cluster
