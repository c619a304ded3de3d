// Physical block devices, from attributes that the kernel keeps in memory.
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

#include <array>

namespace drover::os {
namespace {

bool is_left_out(const std::string& name, const std::string& real_path) {
  constexpr std::array<std::string_view, 10> kVirtual{"loop", "ram", "zram", "dm-", "md",
                                                      "nbd",  "rbd", "drbd", "zd",  "fd"};
  for (const std::string_view prefix : kVirtual) {
    if (name.starts_with(prefix)) return true;
  }
  // With NVMe multipath the disk itself hangs below the virtual nvme-subsystem.
  return real_path.find("/devices/virtual/") != std::string::npos && !name.starts_with("nvme");
}

std::string transport_of(const HostRoot& root, const std::string& device, const std::string& path) {
  if (const std::string own = root.text(device + "/transport"); !own.empty()) return "nvme-" + own;
  if (path.find("/nvme") != std::string::npos) {
    for (const std::string& name : root.list(device)) {  // a subsystem's controllers
      const std::string below = root.text(device + "/" + name + "/transport");
      if (name.starts_with("nvme") && !below.empty()) return "nvme-" + below;
    }
    return "nvme";
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kSigns{
      {{"/usb", "usb"},
       {"/ata", "sata"},
       {"/end_device-", "sas"},
       {"/rport-", "fc"},
       {"/session", "iscsi"},
       {"/mmc", "mmc"},
       {"/virtio", "virtio"}}};
  for (const auto& [sign, name] : kSigns) {
    if (path.find(sign) != std::string::npos) return std::string(name);
  }
  return {};
}

std::string serial_of(const HostRoot& root, const std::string& block, const std::string& device) {
  for (const std::string& path : {device + "/serial", block + "/serial"}) {
    if (std::string serial = clean_identity(root.text(path)); !serial.empty()) return serial;
  }
  // SCSI: the unit serial number page as the kernel cached it, after 4 bytes of header
  // (SPC-6 7.7.21).
  const auto page = root.read(device + "/vpd_pg80", 512);
  return page && page->size() > 4 ? clean_identity(std::string_view(*page).substr(4))
                                  : std::string();
}

}  // namespace

void read_disks(const HostRoot& root, std::vector<Part>& parts) {
  constexpr uint64_t kSector = 512;  // the unit of /sys/block/*/size, whatever the device's own
  for (const std::string& name : root.list("/sys/block")) {
    const std::string block = "/sys/block/" + name;
    const std::string path = root.real_path(block);
    if (is_left_out(name, path) || root.number(block + "/hidden").value_or(0) != 0) continue;
    const std::string device = block + "/device";
    Part part{
        .kind = "disk", .slot = name, .serial = serial_of(root, block, device), .attributes = {}};
    part.set("model", root.text(device + "/model"));
    part.set("vendor", root.text(device + "/vendor").starts_with("0x")
                           ? std::string()  // virtio: a number of the bus, not a maker
                           : root.text(device + "/vendor"));
    std::string firmware = root.text(device + "/firmware_rev");
    if (firmware.empty()) firmware = root.text(device + "/rev");
    part.set("firmware", std::move(firmware));
    const bool removable = root.number(block + "/removable").value_or(0) != 0;
    const auto sectors = root.number(block + "/size");
    if (sectors && !removable) part.set("size_bytes", *sectors * kSector);
    if (removable) part.set("removable", "true");
    if (const auto rotational = root.number(block + "/queue/rotational")) {
      part.set("rotational", *rotational != 0 ? "true" : "false");
    }
    part.set("transport", transport_of(root, device, path));
    part.set("pci", pci_address_of(root, device));
    std::string wwid = root.text(block + "/wwid");
    if (wwid.empty()) wwid = root.text(device + "/wwid");
    part.set("wwid", std::move(wwid));
    parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
