#include "daemons/boot/wire_trace.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using boot::dhcp::Outcome;

std::string node_of(const boot::dhcp::Decision& decision) {
  return decision.machine == nullptr ? std::string() : decision.machine->name;
}

/// As the attribute switch_port has it: "CIRCUIT", or "REMOTE/CIRCUIT".
std::string port_of(const boot::dhcp::Decision& decision) {
  const std::string circuit = printable(decision.circuit_id.view());
  const std::string remote = printable(decision.remote_id.view());
  std::string out = remote.empty() || circuit.empty() ? circuit : remote + "/" + circuit;
  return out.substr(0, cluster::kMaxSightingText);
}

std::string share(uint64_t bytes, uint64_t size) {
  return fmt::format("{} of {} bytes", bytes, size);
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

std::string_view without_secrets(std::string_view target) {
  return target.starts_with("/boot/v1/bootscript") ? target : target.substr(0, target.find('?'));
}

void trace_dhcp(TraceBook& book, const boot::io::DhcpEvent& event) {
  const boot::dhcp::Decision& decision = event.decision;
  if (decision.hardware.is_nobody()) return;
  const std::string what = fmt::format(
      "DHCP {} ({})", decision.request ? name(*decision.request) : "packet", name(decision.kind));
  const bool has_address = !decision.address.is_zero();
  const std::string address = has_address ? decision.address.text() : std::string();
  std::string outcome = decision.reply
                            ? fmt::format("{}{}: {}", name(*decision.reply),
                                          has_address ? " " + address : "", text(decision.outcome))
                            : fmt::format("not answered: {}", text(decision.outcome));
  if (!decision.detail.empty()) outcome += fmt::format(", {}", decision.detail);
  if (event.conflict) {
    boot::HardwareAddress owner;
    owner.length = static_cast<uint8_t>(event.conflict->size());
    std::ranges::copy(*event.conflict, owner.octets.begin());
    outcome += fmt::format(", but {} has that address", owner.text());
  }
  const bool refused = decision.reply == boot::dhcp::MessageType::nak || event.conflict.has_value();
  const bool given = decision.reply == boot::dhcp::MessageType::ack;
  book.add(decision.hardware.text(), node_of(decision), given ? address : "", what, outcome,
           decision.reply && !refused);
}

void trace_tftp(TraceBook& book, const boot::io::TftpEvent& event, std::string_view node) {
  using Kind = boot::io::TftpEvent::Kind;
  const std::string what = fmt::format("TFTP {}", event.path.empty() ? "request" : event.path);
  const std::string client = event.client.host_text();
  if (event.kind == Kind::started) return book.add_at(client, node, what, "begun", true);
  if (event.kind == Kind::refused) {
    return book.add_at(
        client, node, what,
        fmt::format("refused: {}", event.refusal ? text(*event.refusal) : "malformed"), false);
  }
  const bool ok = event.progress == boot::tftp::Progress::complete ||
                  event.progress == boot::tftp::Progress::probed;
  book.add_at(client, node, what,
              fmt::format("{}, {}, {} packets again", name(event.progress),
                          share(event.bytes, event.size), event.resent),
              ok);
}

void trace_http(TraceBook& book, const boot::HttpBootEvent& event, std::string_view node) {
  using What = boot::HttpBootEvent::What;
  constexpr size_t kShortDigest = 12;
  const auto add = [&](std::string_view what, std::string_view outcome, bool ok) {
    book.add_at(event.client, node, what, outcome, ok);
  };
  switch (event.what) {
    case What::script:
      return add("HTTP script", "given, with a boot token where it boots", true);
    case What::loader:
    case What::blob: {
      const std::string what = fmt::format(
          "HTTP {}",
          event.what == What::blob ? "blob " + event.name.substr(0, kShortDigest) : event.name);
      if (event.begun) return add(what, "begun", true);
      return add(what, share(event.offset + event.bytes, event.size), event.complete);
    }
    case What::stage:
      return add("stage " + event.name, "taken", true);
    case What::enrol:
      return add("token", "used to enrol", true);
    case What::log:
      return;
    case What::refused:
      return add(fmt::format("HTTP {}", without_secrets(event.name)), "refused: " + event.why,
                 false);
  }
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
