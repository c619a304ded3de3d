// InfiniBand and RoCE adapters, from /sys/class/infiniband
// (Documentation/ABI/stable/sysfs-class-infiniband).
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

namespace drover::os {
namespace {

/// "4: ACTIVE" -> "ACTIVE".
std::string after_number(std::string text) {
  const size_t colon = text.find(": ");
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

void add_port(const HostRoot& root, const std::string& dir, const std::string& port, Part& part) {
  const std::string prefix = "port" + port + "_";
  part.set(prefix + "link_layer", root.text(dir + "/link_layer"));
  part.set(prefix + "state", after_number(root.text(dir + "/state")));
  part.set(prefix + "phys_state", after_number(root.text(dir + "/phys_state")));
  part.set(prefix + "rate", root.text(dir + "/rate"));
  if (const auto lid = root.number(dir + "/lid"); lid.value_or(0) != 0)
    part.set(prefix + "lid", lid);
}

}  // namespace

void read_infiniband(const HostRoot& root, std::vector<Part>& parts) {
  const std::string base = "/sys/class/infiniband";
  for (const std::string& name : root.list(base)) {
    const std::string dir = base + "/" + name;
    if (root.exists(dir + "/device/physfn")) continue;  // a virtual function
    Part part{.kind = "hca", .slot = name, .serial = {}, .attributes = {}};
    part.set("type", root.text(dir + "/hca_type"));
    part.set("board_id", root.text(dir + "/board_id"));
    part.set("firmware", root.text(dir + "/fw_ver"));
    part.set("hardware", root.text(dir + "/hw_rev"));
    part.set("node_guid", root.text(dir + "/node_guid"));
    part.set("system_guid", root.text(dir + "/sys_image_guid"));
    part.set("driver", root.link_name(dir + "/device/driver"));
    part.set("pci", pci_address_of(root, dir + "/device"));
    for (const std::string& port : root.list(dir + "/ports")) {
      if (parse_number(port)) add_port(root, dir + "/ports/" + port, port, part);
    }
    parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
