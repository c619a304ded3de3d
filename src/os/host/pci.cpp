// PCI functions, from /sys/bus/pci/devices.
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

namespace drover::os {
namespace {

/// Base classes of the PCI Code and ID Assignment Specification 1.16.
std::string class_name(uint64_t base) {
  switch (base) {
    case 0x01:
      return "storage";
    case 0x02:
      return "network";
    case 0x03:
      return "display";
    case 0x04:
      return "multimedia";
    case 0x05:
      return "memory";
    case 0x07:
      return "communication";
    case 0x09:
      return "input";
    case 0x0b:
      return "processor";
    case 0x0c:
      return "serial bus";
    case 0x0d:
      return "wireless";
    case 0x0f:
      return "satellite";
    case 0x10:
      return "encryption";
    case 0x11:
      return "signal processing";
    case 0x12:
      return "accelerator";
    default:
      return {};
  }
}

}  // namespace

void read_pci(const HostRoot& root, std::vector<Part>& parts) {
  constexpr uint64_t kBridge = 0x06;
  constexpr uint64_t kBasePeripheral = 0x08;
  const std::string base = "/sys/bus/pci/devices";
  for (const std::string& address : root.list(base)) {
    const std::string dir = base + "/" + address;
    const auto code = root.number(dir + "/class");
    if (!code || *code >> 16 == kBridge || *code >> 16 == kBasePeripheral) continue;
    if (root.exists(dir + "/physfn")) continue;
    Part part{.kind = "pci", .slot = address, .serial = {}, .attributes = {}};
    part.set("class", root.text(dir + "/class"));
    part.set("class_name", class_name(*code >> 16));
    part.set("vendor", root.text(dir + "/vendor"));
    part.set("device", root.text(dir + "/device"));
    part.set("subsystem_vendor", root.text(dir + "/subsystem_vendor"));
    part.set("subsystem_device", root.text(dir + "/subsystem_device"));
    part.set("revision", root.text(dir + "/revision"));
    part.set("driver", root.link_name(dir + "/driver"));
    part.set("numa_node", root.number(dir + "/numa_node"));  // -1 is not known
    parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
