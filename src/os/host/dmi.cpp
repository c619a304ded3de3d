// What the machine says it is: system, board, chassis and BIOS.
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

#include <algorithm>
#include <initializer_list>

namespace drover::os {
namespace {

/// One attribute: its file below /sys/class/dmi/id, its string's offset in the structure.
struct Field {
  std::string_view name;
  std::string_view file;
  size_t offset;
};

const SmbiosStructure* first_of(const SmbiosTable& smbios, uint8_t type) {
  const auto found = std::find_if(smbios.structures.begin(), smbios.structures.end(),
                                  [type](const auto& entry) { return entry.type() == type; });
  return found == smbios.structures.end() ? nullptr : &*found;
}

std::string value_of(const HostRoot& root, const SmbiosStructure* structure, const Field& field) {
  std::string value = clean_identity(root.text("/sys/class/dmi/id/" + std::string(field.file)));
  if (value.empty() && structure != nullptr)
    value = clean_identity(structure->string(field.offset));
  return value;
}

Part part_of(const HostRoot& root, const SmbiosStructure* structure, std::string kind,
             std::string slot, std::initializer_list<Field> fields) {
  Part part{.kind = std::move(kind), .slot = std::move(slot), .serial = {}, .attributes = {}};
  for (const Field& field : fields) {
    std::string value = value_of(root, structure, field);
    if (field.name == "serial") {
      part.serial = std::move(value);
    } else {
      part.set(field.name, std::move(value));
    }
  }
  return part;
}

void append(Part part, std::vector<Part>& parts) {
  if (!part.attributes.empty() || !part.serial.empty()) parts.push_back(std::move(part));
}

/// Machines without DMI (many ARM ones) describe themselves by a device tree.
void fill_from_device_tree(const HostRoot& root, Part& system) {
  if (!system.attributes.empty()) return;
  system.set("product", root.text("/proc/device-tree/model"));
  system.serial = clean_identity(root.text("/proc/device-tree/serial-number"));
}

/// DSP0134 table 17: the chassis types that servers come in.
std::string chassis_type(uint64_t code) {
  switch (code & 0x7fU) {  // bit 7: has a lock
    case 1:
      return "other";
    case 3:
      return "desktop";
    case 7:
      return "tower";
    case 9:
      return "laptop";
    case 10:
      return "notebook";
    case 17:
      return "main server chassis";
    case 23:
      return "rack mount chassis";
    case 25:
      return "multi-system chassis";
    case 28:
      return "blade";
    case 29:
      return "blade enclosure";
    default:
      return {};
  }
}

void add_chassis_type(const HostRoot& root, const SmbiosStructure* structure, Part& chassis) {
  auto type = root.number("/sys/class/dmi/id/chassis_type");
  if (!type && structure != nullptr) type = structure->byte(5);
  if (type) chassis.set("type", chassis_type(*type));
}

}  // namespace

std::string read_smbios_bytes(const HostRoot& root) {
  constexpr size_t kLimit = size_t{1} << 20;
  return root.read("/sys/firmware/dmi/tables/DMI", kLimit).value_or("");
}

void read_dmi(const HostRoot& root, const SmbiosTable& smbios, std::vector<Part>& parts) {
  const SmbiosStructure* system = first_of(smbios, 1);
  Part system_part = part_of(root, system, "board", "system",
                             {{"vendor", "sys_vendor", 4},
                              {"product", "product_name", 5},
                              {"version", "product_version", 6},
                              {"serial", "product_serial", 7},
                              {"sku", "product_sku", 0x19},
                              {"family", "product_family", 0x1a}});
  std::string uuid = clean_identity(root.text("/sys/class/dmi/id/product_uuid"));
  if (uuid.empty() && system != nullptr) uuid = smbios_uuid(system->bytes(8, 16));
  system_part.set("uuid", std::move(uuid));
  fill_from_device_tree(root, system_part);
  append(std::move(system_part), parts);

  append(part_of(root, first_of(smbios, 2), "board", "board",
                 {{"vendor", "board_vendor", 4},
                  {"product", "board_name", 5},
                  {"version", "board_version", 6},
                  {"serial", "board_serial", 7},
                  {"asset_tag", "board_asset_tag", 8}}),
         parts);

  const SmbiosStructure* chassis = first_of(smbios, 3);
  Part chassis_part = part_of(root, chassis, "board", "chassis",
                              {{"vendor", "chassis_vendor", 4},
                               {"version", "chassis_version", 6},
                               {"serial", "chassis_serial", 7},
                               {"asset_tag", "chassis_asset_tag", 8}});
  add_chassis_type(root, chassis, chassis_part);
  append(std::move(chassis_part), parts);

  Part bios = part_of(
      root, first_of(smbios, 0), "firmware", "bios",
      {{"vendor", "bios_vendor", 4}, {"version", "bios_version", 5}, {"date", "bios_date", 8}});
  // bios_release and ec_firmware_release are "major.minor"; the latter is the BMC's on servers.
  bios.set("release", root.text("/sys/class/dmi/id/bios_release"));
  bios.set("controller_release", root.text("/sys/class/dmi/id/ec_firmware_release"));
  if (!bios.attributes.empty())
    bios.set("boot", root.exists("/sys/firmware/efi") ? "uefi" : "bios");
  append(std::move(bios), parts);
}

}  // namespace drover::os
