// Network interfaces, from /sys/class/net (Documentation/ABI/testing/sysfs-class-net).
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

namespace drover::os {
namespace {

constexpr uint64_t kArphrdEthernet = 1;  // include/uapi/linux/if_arp.h
constexpr uint64_t kArphrdInfiniband = 32;

/// The hardware's own address: a bond lends its members one, and IPoIB's 20 bytes change with each
/// load of the driver but for the port's GUID at their end.
void add_address(const HostRoot& root, const std::string& dir, uint64_t type, Part& part) {
  std::string address = root.text(dir + "/bonding_slave/perm_hwaddr");
  if (address.empty()) address = root.text(dir + "/address");
  constexpr size_t kGuidText = 23;
  if (type == kArphrdInfiniband && address.size() > kGuidText) {
    part.set("port_guid", address.substr(address.size() - kGuidText));
  } else if (address.find_first_not_of("0:") != std::string::npos) {
    part.set("mac", std::move(address));
  }
}

std::string type_name(uint64_t type) {
  if (type == kArphrdEthernet) return "ethernet";
  if (type == kArphrdInfiniband) return "infiniband";
  return {};
}

}  // namespace

void read_nics(const HostRoot& root, bool virtual_too, std::vector<Part>& parts) {
  for (const std::string& name : root.list("/sys/class/net")) {
    const std::string dir = "/sys/class/net/" + name;
    const auto type = root.number(dir + "/type");
    constexpr uint64_t kArphrdLoopback = 772;
    if (!type || *type == kArphrdLoopback) continue;  // also skips plain files (bonding_masters)
    const bool physical = root.exists(dir + "/device");
    if (!physical && !virtual_too) continue;
    // A virtual function of SR-IOV comes and goes with its guest.
    if (root.exists(dir + "/device/physfn") && !virtual_too) continue;
    Part part{.kind = "nic", .slot = name, .serial = {}, .attributes = {}};
    add_address(root, dir, *type, part);
    part.set("type", type_name(*type));
    part.set("driver", root.link_name(dir + "/device/driver"));
    part.set("pci", pci_address_of(root, dir + "/device"));
    part.set("mtu", root.number(dir + "/mtu"));
    part.set("speed_mbps", root.number(dir + "/speed"));  // unreadable or -1 without a carrier
    part.set("state", root.text(dir + "/operstate"));
    if (!physical) part.set("virtual", "true");
    parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
