// DHCPv4 from anybody on the wire: what is read can be written and read again, and the server's
// reply to any bytes is itself a message, goes somewhere, and gives only addresses of the subnet.
#include "boot/dhcp/server.hpp"
#include "fuzz.hpp"

#include <string>

namespace {

using namespace drover::boot;        // NOLINT(google-build-using-namespace): one program
using namespace drover::boot::dhcp;  // NOLINT(google-build-using-namespace)
using drover::fuzz::require;

struct NoMachines final : ReservationView {
  NoMachines() {
    one.name = "n1";
    one.addresses = {{0x0a4d0005}};
  }
  [[nodiscard]] const Reservation* by_hardware(const HardwareAddress& address) const override {
    return address.octets[0] == 0x52 && address.octets[5] % 2 == 0 ? &one : nullptr;
  }
  [[nodiscard]] const Reservation* by_client_id(std::string_view) const override { return nullptr; }
  [[nodiscard]] const Reservation* by_port(std::string_view, std::string_view) const override {
    return nullptr;
  }
  Reservation one;
};

struct NoJournal final : LeaseJournal {
  void append(const Lease&) override {}
};

/// All options again, one after the other.
void rewrite(const PacketView& view) {
  Header header{view.op(),     view.hops(),     view.xid(),         view.seconds(),
                view.flags(),  view.ciaddr(),   view.yiaddr(),      view.siaddr(),
                view.giaddr(), view.hardware(), view.server_name(), view.file()};
  std::array<char, 2 * kMaxMessage> space{};
  PacketWriter out(header, space, space.size());
  for (int code = 1; code < kEnd; ++code) {
    if (code == kOverload) continue;
    const auto value = view.option(static_cast<uint8_t>(code));
    if (value) require(out.option(static_cast<uint8_t>(code), *value), "there is room");
  }
  const size_t size = out.finish();
  if (size > kMaxMessage) return;
  std::array<char, kMaxMessage> join_space{};
  const auto again = PacketView::parse({space.data(), size}, join_space);
  require(again.has_value(), "what was written can be read");
  for (int code = 1; code < kEnd; ++code) {
    if (code == kOverload) continue;
    require(view.option(static_cast<uint8_t>(code)) == again->option(static_cast<uint8_t>(code)),
            "every option survives");
  }
  require(view.hardware() == again->hardware() && view.xid() == again->xid() &&
              view.file() == again->file(),
          "and so do the fields");
}

void serve(std::string_view input, SubnetMode mode, const Arrival& arrival) {
  const NoMachines machines;
  NoJournal journal;
  LeaseBook book({{{0x0a4d0010}, {0x0a4d0020}}}, {}, journal);
  ServerConfig config;
  Subnet subnet;
  subnet.prefix = *Prefix4::parse("10.77.0.0/24");
  subnet.mode = mode;
  subnet.pool = 0;
  subnet.authoritative = true;
  subnet.routers = {{0x0a4d00fe}};
  subnet.routes = {{*Prefix4::parse("10.17.0.0/16"), {0x0a4d0009}}};
  subnet.search = {"cluster.test"};
  config.subnets = {subnet};
  Server server(config, machines, book);
  std::array<char, kMaxMessage> out{};
  const Decision decision = server.decide(input, arrival, out);
  if (!decision.reply) return require(decision.size == 0, "silence is empty");
  std::array<char, kMaxMessage> join_space{};
  const auto reply = PacketView::parse({out.data(), decision.size}, join_space);
  require(reply.has_value() && reply->op() == 2, "a reply is a message");
  require(!decision.to.address.is_zero() && decision.to.port != 0, "it goes somewhere");
  require(reply->yiaddr().is_zero() || subnet.prefix.contains(reply->yiaddr()),
          "addresses are the subnet's");
  require(decision.reply != MessageType::nak || reply->yiaddr().is_zero(), "a NAK gives none");
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  std::array<char, kMaxMessage> join_space{};
  const auto view = PacketView::parse(input, join_space);
  if (view) {
    rewrite(*view);
    (void)read_request(*view);
  }
  const drover::WallTime now{std::chrono::hours(500'000)};
  serve(input, SubnetMode::full, {{0x0a4d0001}, {}, kClientPort, kServerPort, now});
  serve(input, SubnetMode::proxy, {{0x0a4d0001}, {}, kClientPort, kServerPort, now});
  serve(input, SubnetMode::full, {{0x0a4d0001}, {0x0a4d0005}, kProxyPort, kProxyPort, now});
}
