#include "cluster/hardware/machine.hpp"

#include <charconv>
#include <optional>
#include <string_view>

namespace drover::cluster {
namespace {

const std::string& attribute(const Part& part, const char* name) {
  static const std::string kNone;
  const auto found = part.attributes.find(name);
  return found == part.attributes.end() ? kNone : found->second;
}

template <typename T>
std::optional<T> number(const Part& part, const char* name) {
  const std::string& text = attribute(part, name);
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

BmcIdentity identity_of(const Part& part, const char* maker, const char* model) {
  BmcIdentity out;
  out.id = part.slot;
  out.manufacturer = attribute(part, maker);
  out.model = attribute(part, model);
  out.serial = part.serial;
  out.part_number = attribute(part, "part_number");
  return out;
}

void take_board(const Part& part, BmcSystem& out) {
  if (part.slot == "system") {
    out.identity = identity_of(part, "vendor", "product");
    out.uuid = attribute(part, "uuid");
    out.sku = attribute(part, "sku");
  } else if (part.slot == "chassis") {
    out.asset_tag = attribute(part, "asset_tag");
  }
}

void take_cpu(const Part& part, BmcSystem& out) {
  BmcProcessor cpu;
  cpu.identity = identity_of(part, "vendor", "model");
  cpu.kind = "CPU";
  cpu.socket = attribute(part, "socket");
  cpu.cores = number<uint32_t>(part, "cores");
  cpu.threads = number<uint32_t>(part, "threads");
  cpu.max_mhz = number<uint32_t>(part, "max_mhz");
  if (out.processor_model.empty()) out.processor_model = cpu.identity.model;
  out.processors.push_back(std::move(cpu));
}

void take_dimm(const Part& part, BmcSystem& out) {
  BmcMemory dimm;
  dimm.identity = identity_of(part, "manufacturer", "model");
  dimm.kind = attribute(part, "type");
  dimm.locator = part.slot;
  dimm.capacity_mib = number<uint64_t>(part, "size_mib");
  dimm.speed_mhz = number<uint32_t>(part, "configured_mts");
  if (!dimm.speed_mhz) dimm.speed_mhz = number<uint32_t>(part, "speed_mts");
  out.memory.push_back(std::move(dimm));
}

void take_disk(const Part& part, BmcSystem& out) {
  if (attribute(part, "removable") == "true") return;
  BmcDrive drive;
  drive.identity = identity_of(part, "vendor", "model");
  drive.capacity_bytes = number<uint64_t>(part, "size_bytes");
  drive.firmware = attribute(part, "firmware");
  drive.protocol = attribute(part, "transport");
  const std::string& rotates = attribute(part, "rotational");
  if (!rotates.empty()) drive.media = rotates == "true" ? "HDD" : "SSD";
  out.drives.push_back(std::move(drive));
}

void take_gpu(const Part& part, BmcSystem& out) {
  BmcProcessor gpu;
  gpu.identity = identity_of(part, "vendor", "model");
  gpu.kind = "GPU";
  gpu.socket = attribute(part, "pci");
  out.accelerators.push_back(std::move(gpu));
}

template <typename T>
void fill(T& mine, const T& theirs) {
  if (theirs != T()) mine = theirs;
}

/// What the BMC says goes before what the agent said.
void complete(BmcSystem& out, const BmcSystem& bmc) {
  fill(out.identity.id, bmc.identity.id);
  fill(out.identity.path, bmc.identity.path);
  fill(out.identity.name, bmc.identity.name);
  fill(out.identity.manufacturer, bmc.identity.manufacturer);
  fill(out.identity.model, bmc.identity.model);
  fill(out.identity.serial, bmc.identity.serial);
  fill(out.identity.part_number, bmc.identity.part_number);
  fill(out.identity.health, bmc.identity.health);
  fill(out.uuid, bmc.uuid);
  fill(out.kind, bmc.kind);
  fill(out.sku, bmc.sku);
  fill(out.asset_tag, bmc.asset_tag);
  fill(out.host_name, bmc.host_name);
  fill(out.bios_version, bmc.bios_version);
  fill(out.processor_count, bmc.processor_count);
  fill(out.processor_model, bmc.processor_model);
  fill(out.memory_mib, bmc.memory_mib);
}

}  // namespace

BmcSystem machine_of(const NodeParts& parts) {
  BmcSystem out;
  if (parts.empty()) return out;
  out.kind = "Physical";
  for (const auto& [key, part] : parts) {
    if (part.kind == "board") {
      take_board(part, out);
    } else if (part.kind == "cpu") {
      take_cpu(part, out);
    } else if (part.kind == "dimm") {
      take_dimm(part, out);
    } else if (part.kind == "disk") {
      take_disk(part, out);
    } else if (part.kind == "gpu") {
      take_gpu(part, out);
    } else if (part.kind == "firmware" && part.slot == "bios") {
      out.bios_version = attribute(part, "version");
    } else if (part.kind == "memory" && part.slot == "total") {
      out.memory_mib = number<uint64_t>(part, "installed_mib");
      if (!out.memory_mib) out.memory_mib = number<uint64_t>(part, "size_mib");
    }
  }
  if (!out.processors.empty()) {
    out.processor_count = static_cast<uint32_t>(out.processors.size());
  }
  return out;
}

Machine::Machine(const BmcSystem* by_bmc, const NodeParts& parts)
    : by_bmc_(by_bmc), by_agent_(!parts.empty()), mixed_(by_agent_ || by_bmc == nullptr) {
  if (by_agent_) found_ = machine_of(parts);
  if (by_agent_ && by_bmc_ != nullptr) complete(found_, *by_bmc_);
}

template <typename T>
const std::vector<T>& Machine::list(std::vector<T> BmcSystem::* member) const {
  if (by_bmc_ != nullptr && !(by_bmc_->*member).empty()) return by_bmc_->*member;
  return found_.*member;
}

const std::vector<BmcProcessor>& Machine::processors() const {
  return list(&BmcSystem::processors);
}
const std::vector<BmcProcessor>& Machine::accelerators() const {
  return list(&BmcSystem::accelerators);
}
const std::vector<BmcMemory>& Machine::memory() const {
  return list(&BmcSystem::memory);
}
const std::vector<BmcDrive>& Machine::drives() const {
  return list(&BmcSystem::drives);
}

}  // namespace drover::cluster
