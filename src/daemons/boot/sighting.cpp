#include "daemons/boot/sighting.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using boot::dhcp::Outcome;

/// As the attribute switch_port has it: "CIRCUIT", or "REMOTE/CIRCUIT".
std::string port_of(const boot::dhcp::Decision& decision) {
  const std::string circuit = printable(decision.circuit_id.view());
  const std::string remote = printable(decision.remote_id.view());
  std::string out = remote.empty() || circuit.empty() ? circuit : remote + "/" + circuit;
  return out.substr(0, cluster::kMaxSightingText);
}

}  // namespace

std::string architecture_name(uint16_t code) {
  struct Row {
    uint16_t code;
    std::string_view name;
  };
  constexpr std::array kRows{
      Row{0, "x86 BIOS"},         Row{6, "x86 UEFI"},          Row{7, "x64 UEFI"},
      Row{9, "x64 UEFI"},         Row{10, "arm UEFI"},         Row{11, "arm64 UEFI"},
      Row{15, "x86 UEFI HTTP"},   Row{16, "x64 UEFI HTTP"},    Row{18, "arm UEFI HTTP"},
      Row{19, "arm64 UEFI HTTP"}, Row{20, "x86 BIOS HTTP"},    Row{25, "riscv32 UEFI"},
      Row{27, "riscv64 UEFI"},    Row{28, "riscv64 UEFI HTTP"}};
  if (code == boot::dhcp::kNoArchitecture) return {};
  const auto* row = std::ranges::find(kRows, code, &Row::code);
  return row == kRows.end() ? fmt::format("type {}", code) : std::string(row->name);
}

/// The first three fields are little-endian in SMBIOS (DSP0134 section 7.2.1), and sent as they
/// are.
std::string uuid_text(std::string_view machine_id) {
  constexpr size_t kSize = 17;
  if (machine_id.size() != kSize || machine_id.front() != 0) return {};
  constexpr std::array<size_t, 16> kOrder{4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16};
  std::string out;
  for (size_t i = 0; i < kOrder.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", static_cast<unsigned char>(machine_id[kOrder.at(i)]));
  }
  return out;
}

std::optional<cluster::Sighting> sighting_of(const boot::dhcp::Decision& decision) {
  constexpr size_t kMac = 6;
  const bool ethernet = decision.hardware.type == 1 && decision.hardware.length == kMac;
  const bool on_network = !decision.network.empty() && decision.outcome != Outcome::spoofed;
  if (decision.machine != nullptr || !ethernet || decision.hardware.is_nobody() || !on_network) {
    return {};
  }
  cluster::Sighting out;
  out.mac = decision.hardware.text();
  out.network = decision.network;
  out.port = port_of(decision);
  out.client = name(decision.kind);
  out.arch = architecture_name(decision.architecture);
  out.uuid = uuid_text(decision.machine_id.view());
  return out;
}

}  // namespace drover::daemons
