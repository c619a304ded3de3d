// Hardware written as SMD writes it: what belongs to the place apart from what belongs to the piece
// in it. Names of members: hms-smd's API; what nobody says is empty or 0.
#include "api/smd/hardware_items.hpp"
#include "api/smd/member_writer.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::BmcIdentity;
using cluster::XnameType;

constexpr std::array kWords{
    HardwareWords{XnameType::node, "Nodes", "Node"},
    HardwareWords{XnameType::cabinet, "Cabinets", "Cabinet"},
    HardwareWords{XnameType::chassis, "Chassis", "Chassis"},
    HardwareWords{XnameType::compute_module, "ComputeModules", "ComputeModule"},
    HardwareWords{XnameType::router_module, "RouterModules", "RouterModule"},
    HardwareWords{XnameType::node_enclosure, "NodeEnclosures", "NodeEnclosure"},
    HardwareWords{XnameType::hsn_board, "HSNBoards", "HSNBoard"},
    HardwareWords{XnameType::mgmt_switch, "MgmtSwitches", "MgmtSwitch"},
    HardwareWords{XnameType::mgmt_hl_switch, "MgmtHLSwitches", "MgmtHLSwitch"},
    HardwareWords{XnameType::cdu_switch, "CDUMgmtSwitches", "CDUMgmtSwitch"},
    HardwareWords{XnameType::processor, "Processors", "Processor"},
    HardwareWords{XnameType::node_accel, "NodeAccels", "NodeAccel"},
    HardwareWords{XnameType::node_accel_riser, "NodeAccelRisers", "NodeAccelRiser"},
    HardwareWords{XnameType::memory, "Memory", "Memory"},
    HardwareWords{XnameType::drive, "Drives", "Drive"},
    HardwareWords{XnameType::node_hsn_nic, "NodeHsnNics", "NodeHsnNic"},
    HardwareWords{XnameType::pdu, "CabinetPDUs", "PDU"},
    HardwareWords{XnameType::pdu_outlet, "CabinetPDUPowerConnectors", "Outlet"},
    HardwareWords{XnameType::pdu_power_connector, "CabinetPDUPowerConnectors", "Outlet"},
    HardwareWords{XnameType::cmm_rectifier, "CMMRectifiers", "CMMRectifier"},
    HardwareWords{XnameType::node_enclosure_supply, "NodeEnclosurePowerSupplies",
                  "NodeEnclosurePowerSupply"},
    HardwareWords{XnameType::node_bmc, "NodeBMCs", "NodeBMC"},
    HardwareWords{XnameType::router_bmc, "RouterBMCs", "RouterBMC"},
};

void named(MemberWriter& out, const BmcIdentity& identity, std::string_view description) {
  out.text("Id", identity.id).text("Name", identity.name).text("Description", description);
}
void made(MemberWriter& out, const BmcIdentity& identity) {
  out.text("Manufacturer", identity.manufacturer)
      .text("Model", identity.model)
      .text("PartNumber", identity.part_number)
      .text("SerialNumber", identity.serial);
}

// What belongs to the place.

void place(std::string& text, MemberWriter& out, const cluster::BmcSystem& system) {
  named(out, system.identity, "");
  out.text("HostName", system.host_name).begin("ProcessorSummary");
  MemberWriter(text)
      .number("Count", system.processor_count.value_or(0))
      .text("Model", system.processor_model)
      .close();
  constexpr uint64_t kGib = 1024;
  out.begin("MemorySummary");
  MemberWriter(text).number("TotalSystemMemoryGiB", system.memory_mib.value_or(0) / kGib).close();
}
void place(std::string&, MemberWriter& out, const cluster::BmcProcessor& processor) {
  named(out, processor.identity, "");
  out.text("Socket", processor.socket);
}
void place(std::string&, MemberWriter& out, const cluster::BmcMemory& memory) {
  named(out, memory.identity, memory.locator);
}
void place(std::string&, MemberWriter& out, const cluster::BmcDrive& drive) {
  named(out, drive.identity, "");
}
void place(std::string&, MemberWriter& out, const cluster::BmcManager& manager) {
  named(out, manager.identity, "");
  out.text("FirmwareVersion", manager.firmware_version);
}
void place(std::string&, MemberWriter& out, const cluster::BmcChassis& chassis) {
  named(out, chassis.identity, "");
  out.text("HostName", "");
}
void place(std::string&, MemberWriter& out, const cluster::BmcPowerSupply& supply) {
  out.text("Name", supply.identity.name).text("FirmwareVersion", supply.firmware);
}

// What belongs to the piece.

void piece(MemberWriter& out, const cluster::BmcSystem& system) {
  out.text("AssetTag", system.asset_tag).text("BiosVersion", system.bios_version);
  made(out, system.identity);
  out.text("SKU", system.sku)
      .text("SystemType", system.kind.empty() ? "Physical" : system.kind)
      .text("UUID", system.uuid);
}
void piece(MemberWriter& out, const cluster::BmcProcessor& processor) {
  out.text("InstructionSet", processor.instruction_set);
  made(out, processor.identity);
  out.number("MaxSpeedMHz", processor.max_mhz.value_or(0))
      .text("ProcessorArchitecture", processor.architecture)
      .text("ProcessorType", processor.kind.empty() ? "CPU" : processor.kind)
      .number("TotalCores", processor.cores.value_or(0))
      .number("TotalThreads", processor.threads.value_or(0));
}
void piece(MemberWriter& out, const cluster::BmcMemory& memory) {
  out.number("CapacityMiB", memory.capacity_mib.value_or(0));
  made(out, memory.identity);
  out.text("MemoryType", "DRAM")
      .text("MemoryDeviceType", memory.kind)
      .number("OperatingSpeedMhz", memory.speed_mhz.value_or(0));
}
void piece(MemberWriter& out, const cluster::BmcDrive& drive) {
  out.number("CapacityBytes", drive.capacity_bytes.value_or(0));
  made(out, drive.identity);
  out.text("MediaType", drive.media)
      .text("Protocol", drive.protocol)
      .text("FirmwareVersion", drive.firmware);
}
void piece(MemberWriter& out, const cluster::BmcManager& manager) {
  out.text("ManagerType", manager.kind);
  made(out, manager.identity);
}
void piece(MemberWriter& out, const cluster::BmcChassis& chassis) {
  out.text("AssetTag", chassis.asset_tag).text("ChassisType", chassis.kind);
  made(out, chassis.identity);
  out.text("SKU", chassis.sku);
}
void piece(MemberWriter& out, const cluster::BmcPowerSupply& supply) {
  made(out, supply.identity);
  out.real("PowerCapacityWatts", supply.capacity_watts.value_or(0));
}

}  // namespace

std::span<const HardwareWords> hardware_words() {
  return kWords;
}

const HardwareWords* hardware_words(XnameType type) {
  for (const HardwareWords& words : kWords) {
    if (words.type == type) return &words;
  }
  return nullptr;
}

void append_fru_json(std::string& out, const HardwareItem& item) {
  if (const auto* known = std::get_if<const cluster::KnownHardware*>(&item.what)) {
    out += (*known)->fru.text;
    return;
  }
  const std::string_view stem = hardware_words(item.type)->stem;
  MemberWriter writer(out);
  writer.text("FRUID", fru_id_of(item))
      .text("Type", enum_name(item.type))
      .text("Subtype", "")
      .text("HWInventoryByFRUType", fmt::format("HWInvByFRU{}", stem))
      .begin(fmt::format("{}FRUInfo", stem));
  MemberWriter info(out);
  std::visit(
      [&](const auto* what) {
        if constexpr (requires { piece(info, *what); }) piece(info, *what);
      },
      item.what);
  info.close();
  writer.close();
}

void append_json(std::string& out, const HardwareItem& item) {
  const std::string_view stem = hardware_words(item.type)->stem;
  MemberWriter writer(out);
  writer.text("ID", item.id)
      .text("Type", enum_name(item.type))
      .number("Ordinal", item.ordinal)
      .text("Status", "Populated")
      .text("HWInventoryByLocationType", fmt::format("HWInvByLoc{}", stem))
      .begin(fmt::format("{}LocationInfo", stem));
  if (const auto* known = std::get_if<const cluster::KnownHardware*>(&item.what)) {
    out += (*known)->location.text;
  } else {
    MemberWriter info(out);
    std::visit(
        [&](const auto* what) {
          if constexpr (requires { place(out, info, *what); }) place(out, info, *what);
        },
        item.what);
    info.close();
  }
  writer.begin("PopulatedFRU");
  append_fru_json(out, item);
  writer.close();
}

}  // namespace drover::api::smd
