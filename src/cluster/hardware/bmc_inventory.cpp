// The descriptions of what BMCs hold, and the bounds that every inventory keeps.
#include "cluster/hardware/bmc_inventory.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 6> kPowerNames{"unknown",     "off",          "on",
                                                      "powering_on", "powering_off", "paused"};
constexpr std::array<std::string_view, 5> kSensorNames{"temperature", "fan", "voltage", "power",
                                                       "other"};

/// Walks an inventory for what is too much; knows the place that it is at.
class Bounds final : public Visitor {
 public:
  [[nodiscard]] Status verdict() const { return fault_.empty() ? Status() : fail(code_, fault_); }

 private:
  bool enter_field(std::string_view name, std::string_view, Presence) override {
    places_.push_back(place_.size());
    place_ += place_.empty() ? "" : ".";
    place_ += name;
    return true;
  }
  void leave_field() override { leave(); }
  void string(std::string& value) override {
    bytes_ += value.size() + 24;  // its name, quotes and comma
    if (value.size() > kMaxBmcText) {
      return fault(Code::too_large, fmt::format("longer than {} bytes", kMaxBmcText));
    }
    const bool control = std::ranges::any_of(value, [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
    });
    if (control) fault(Code::invalid_argument, "holds a control character");
    if (bytes_ > kMaxBmcInventoryBytes) {
      fault(Code::too_large, fmt::format("the inventory is over {} bytes", kMaxBmcInventoryBytes));
    }
  }
  void boolean(bool&) override { bytes_ += 24; }
  void integer(int64_t&, int64_t, int64_t) override { bytes_ += 24; }
  void natural(uint64_t&, uint64_t) override { bytes_ += 24; }
  void number(double&) override { bytes_ += 24; }
  void time(WallTime&) override { bytes_ += 32; }
  void choice(size_t&, std::span<const std::string_view>) override { bytes_ += 24; }
  void raw(RawJson& value) override { bytes_ += value.text.size(); }
  bool begin_object(std::string_view) override { return fault_.empty(); }
  void end_object() override {}
  size_t begin_list(size_t held) override {
    size_t most = kMaxBmcList;
    if (place_ == "systems") most = kMaxBmcSystems;
    if (place_ == "warnings") most = kMaxBmcWarnings;
    if (held > most) {
      fault(Code::too_large, fmt::format("{} entries, at most {} are kept", held, most));
    }
    places_.push_back(place_.size());
    return held;
  }
  void element(size_t index) override {
    place_.resize(places_.back());
    place_ += fmt::format("[{}]", index);
  }
  void end_list() override { leave(); }
  size_t begin_map(size_t held) override { return held; }
  std::string key(size_t, std::string_view held) override { return std::string(held); }
  void end_map() override {}
  [[nodiscard]] bool fills() const override { return false; }
  bool begin_optional(bool held) override { return held; }
  void end_optional() override {}

  void leave() {
    place_.resize(places_.back());
    places_.pop_back();
  }
  void fault(Code code, std::string_view what) {
    if (!fault_.empty()) return;
    code_ = code;
    fault_ = fmt::format("{}: {}", place_, what);
  }

  std::string place_;
  std::vector<size_t> places_;
  size_t bytes_ = 0;
  Code code_ = Code::too_large;
  std::string fault_;
};

}  // namespace

std::span<const std::string_view> enum_names(BmcPowerState) {
  return kPowerNames;
}
std::span<const std::string_view> enum_names(BmcSensorKind) {
  return kSensorNames;
}

void BmcIdentity::describe_into(Visitor& v) {
  v.field("id", id, "The resource's own identifier, unique in its collection.");
  v.field("path", path, "Its path on the BMC.");
  v.field("name", name, "What the BMC calls it.", Presence::optional);
  v.field("manufacturer", manufacturer, "Who made it.", Presence::optional);
  v.field("model", model, "Its model.", Presence::optional);
  v.field("serial", serial, "Its serial number.", Presence::optional);
  v.field("part_number", part_number, "Its part number.", Presence::optional);
  v.field("health", health, "How it is: OK, Warning or Critical.", Presence::optional);
}

void BmcNic::describe(Visitor& v) {
  v.field("id", id, "The resource's own identifier.");
  v.field("path", path, "Its path on the BMC.");
  v.field("name", name, "What the BMC calls it.", Presence::optional);
  v.field("description", description, "The BMC's description.", Presence::optional);
  v.field("mac", mac, "Its hardware address; empty when the BMC gives none that is valid.",
          Presence::optional);
  v.field("permanent_mac", permanent_mac, "The hardware address that it was made with.",
          Presence::optional);
  v.field("addresses", addresses, "Its IP addresses.", Presence::optional);
  v.field("enabled", enabled, "Whether it is enabled; null: the BMC does not say.",
          Presence::optional);
  v.field("link", link, "LinkUp, LinkDown or NoLink.", Presence::optional);
  v.field("speed_mbps", speed_mbps, "Megabits a second.", Presence::optional);
}

void BmcReset::describe(Visitor& v) {
  v.field("target", target, "Path that takes the reset; empty: there is none.", Presence::optional);
  v.field("allowed", allowed, "Kinds of reset that it takes; empty: it does not say.",
          Presence::optional);
}

void BmcProcessor::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("kind", kind, "CPU, GPU, FPGA, Accelerator and so on.", Presence::optional);
  v.field("architecture", architecture, "x86, ARM and so on.", Presence::optional);
  v.field("instruction_set", instruction_set, "x86-64, ARM-A64 and so on.", Presence::optional);
  v.field("socket", socket, "Where it sits.", Presence::optional);
  v.field("cores", cores, "Number of cores.", Presence::optional);
  v.field("threads", threads, "Number of hardware threads.", Presence::optional);
  v.field("max_mhz", max_mhz, "Highest clock in MHz.", Presence::optional);
}

void BmcMemory::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("kind", kind, "DDR4, DDR5, HBM and so on.", Presence::optional);
  v.field("locator", locator, "Where it sits.", Presence::optional);
  v.field("capacity_mib", capacity_mib, "Capacity in MiB.", Presence::optional);
  v.field("speed_mhz", speed_mhz, "Operating speed in MHz.", Presence::optional);
}

void BmcDrive::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("media", media, "SSD, HDD and so on.", Presence::optional);
  v.field("protocol", protocol, "NVMe, SATA, SAS and so on.", Presence::optional);
  v.field("storage", storage, "The controller that it hangs on.", Presence::optional);
  v.field("capacity_bytes", capacity_bytes, "Capacity in bytes.", Presence::optional);
  v.field("firmware", firmware, "Its firmware's version.", Presence::optional);
}

void BmcConsole::describe(Visitor& v) {
  v.field("serial", serial, "Whether the computer's serial console is offered.",
          Presence::optional);
  v.field("shell", shell, "Whether a command line of the controller is offered.",
          Presence::optional);
  v.field("protocols", protocols, "By which protocols: SSH, IPMI, Telnet, Oem.",
          Presence::optional);
  v.field("ssh_port", ssh_port, "The port of the one by SSH.", Presence::optional);
}

void BmcBoot::describe(Visitor& v) {
  v.field("enabled", enabled, "Disabled, Once or Continuous.", Presence::optional);
  v.field("target", target, "What it boots from: None, Pxe, Hdd and so on.", Presence::optional);
  v.field("mode", mode, "Legacy or UEFI.", Presence::optional);
  v.field("allowed", allowed, "The targets that it takes.", Presence::optional);
}

void BmcSystem::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("uuid", uuid, "The computer's UUID; empty when the BMC has none.", Presence::optional);
  v.field("kind", kind, "Physical, Virtual and so on.", Presence::optional);
  v.field("sku", sku, "Its stock-keeping number.", Presence::optional);
  v.field("asset_tag", asset_tag, "What its owner labelled it with.", Presence::optional);
  v.field("host_name", host_name, "The host name that the BMC knows.", Presence::optional);
  v.field("bios_version", bios_version, "Version of its firmware.", Presence::optional);
  v.field("power", power, "Whether it is on.", Presence::optional);
  v.field("restore_policy", restore_policy, "What it does when the mains come back.",
          Presence::optional);
  v.field("processor_count", processor_count, "Number of processors.", Presence::optional);
  v.field("processor_model", processor_model, "Their model.", Presence::optional);
  v.field("logical_processors", logical_processors, "Number of hardware threads.",
          Presence::optional);
  v.field("memory_mib", memory_mib, "Memory in MiB.", Presence::optional);
  v.field("reset", reset, "How its power is controlled.", Presence::optional);
  v.field("boot", boot, "What it boots from next.", Presence::optional);
  v.field("console", console, "How its console is reached.", Presence::optional);
  v.field("processors", processors, "Its CPUs.", Presence::optional);
  v.field("accelerators", accelerators, "Its GPUs and other processors.", Presence::optional);
  v.field("memory", memory, "Its memory modules.", Presence::optional);
  v.field("drives", drives, "Its drives.", Presence::optional);
  v.field("nics", nics, "Its network interfaces.", Presence::optional);
  v.field("chassis", chassis, "Paths of the enclosures that it is in.", Presence::optional);
  v.field("managers", managers, "Paths of its controllers.", Presence::optional);
}

void BmcManager::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("uuid", uuid, "The controller's UUID.", Presence::optional);
  v.field("kind", kind, "BMC, EnclosureManager and so on.", Presence::optional);
  v.field("firmware_version", firmware_version, "Version of its firmware.", Presence::optional);
  v.field("reset", reset, "How it is restarted.", Presence::optional);
  v.field("console", console, "How its consoles are reached.", Presence::optional);
  v.field("nics", nics, "Its network interfaces.", Presence::optional);
}

void BmcPowerSupply::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("capacity_watts", capacity_watts, "What it can give, in watts.", Presence::optional);
  v.field("firmware", firmware, "Its firmware's version.", Presence::optional);
}

void BmcPowerControl::describe(Visitor& v) {
  v.field("id", id, "The entry's own identifier.");
  v.field("path", path, "Its path on the BMC.");
  v.field("name", name, "What the BMC calls it.", Presence::optional);
  v.field("capacity_watts", capacity_watts, "What may be drawn, in watts.", Presence::optional);
  v.field("limit_watts", limit_watts, "What it is limited to; null: not limited.",
          Presence::optional);
}

void BmcChassis::describe(Visitor& v) {
  identity.describe_into(v);
  v.field("kind", kind, "RackMount, Blade, Enclosure and so on.", Presence::optional);
  v.field("sku", sku, "Its stock-keeping number.", Presence::optional);
  v.field("asset_tag", asset_tag, "What its owner labelled it with.", Presence::optional);
  v.field("power", power, "Whether it is on.", Presence::optional);
  v.field("reset", reset, "How its power is controlled.", Presence::optional);
  v.field("power_supplies", power_supplies, "Its power supplies.", Presence::optional);
  v.field("power_controls", power_controls, "Where its power is measured.", Presence::optional);
  v.field("contained_by", contained_by, "Path of the enclosure around it.", Presence::optional);
  v.field("systems", systems, "Paths of the computers in it.", Presence::optional);
}

void BmcFirmware::describe(Visitor& v) {
  v.field("id", id, "The resource's own identifier.");
  v.field("path", path, "Its path on the BMC.");
  v.field("name", name, "What it is the firmware of.", Presence::optional);
  v.field("version", version, "Its version.", Presence::optional);
  v.field("updateable", updateable, "Whether it can be updated through the BMC.",
          Presence::optional);
}

void BmcWarning::describe(Visitor& v) {
  v.field("path", path, "The resource that it is about.");
  v.field("text", text, "What was wrong, and what was made of it.");
}

void BmcInventory::describe(Visitor& v) {
  v.field("redfish_version", redfish_version, "Version of the BMC's Redfish service.",
          Presence::optional);
  v.field("uuid", uuid, "UUID of the service.", Presence::optional);
  v.field("vendor", vendor, "Who made the service.", Presence::optional);
  v.field("product", product, "What the service belongs to.", Presence::optional);
  v.field("managers", managers, "The controllers.", Presence::optional);
  v.field("systems", systems, "The computers, in natural order of their ids.", Presence::optional);
  v.field("chassis", chassis, "The enclosures.", Presence::optional);
  v.field("firmware", firmware, "Firmware of the parts, by version.", Presence::optional);
  v.field("update_target", update_target, "Path that takes firmware updates.", Presence::optional);
  v.field("event_stream", event_stream, "Path of the stream of events.", Presence::optional);
  v.field("complete", complete, "False when something was left out; the warnings say what.",
          Presence::optional);
  v.field("warnings", warnings, "What the BMC said and was not taken as it stands.",
          Presence::optional);
}

void BmcReading::describe(Visitor& v) {
  v.field("chassis", chassis, "Path of the enclosure.", Presence::optional);
  v.field("name", name, "The sensor's name.");
  v.field("kind", kind, "What it measures.");
  v.field("unit", unit, "The unit of the value.", Presence::optional);
  v.field("value", value, "What it read.");
  v.field("upper_critical", upper_critical, "The value above which harm is near.",
          Presence::optional);
  v.field("health", health, "What the BMC makes of it.", Presence::optional);
}

void BmcReadings::describe(Visitor& v) {
  v.field("readings", readings, "One entry a sensor.");
}

std::string bmc_text(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  std::string safe = printable(text.substr(0, kMaxBmcText));
  if (safe.size() <= kMaxBmcText) return safe;
  size_t end = kMaxBmcText;  // cut between characters
  while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xC0U) == 0x80U) --end;
  safe.resize(end);
  return safe;
}

Status check(const BmcInventory& inventory) {
  Bounds bounds;
  // One description serves reading and writing, so it takes a mutable struct; this only looks.
  bounds.visit(const_cast<BmcInventory&>(inventory));
  return bounds.verdict();
}

}  // namespace drover::cluster
