// DHCPv6 from anybody on the wire: any bytes are refused or answered with a message that is whole,
// goes back through the same relays, and gives only addresses of the subnet.
#include "boot/dhcp6/server.hpp"
#include "fuzz.hpp"

namespace {

using namespace drover::boot;         // NOLINT(google-build-using-namespace): one program
using namespace drover::boot::dhcp6;  // NOLINT(google-build-using-namespace)
using drover::fuzz::require;

struct SomeMachines final : ReservationView {
  SomeMachines() {
    one.name = "n1";
    one.addresses = {*Ipv6::parse("fd77::113")};
  }
  [[nodiscard]] const Reservation* by_hardware(const HardwareAddress& address) const override {
    return address.octets[5] % 2 == 0 ? &one : nullptr;
  }
  [[nodiscard]] const Reservation* by_uuid(std::string_view) const override { return nullptr; }
  [[nodiscard]] const Reservation* by_duid(std::string_view) const override { return nullptr; }
  [[nodiscard]] const Reservation* by_port(std::string_view, std::string_view) const override {
    return nullptr;
  }
  Reservation one;
};

const Prefix6 kPrefix = *Prefix6::parse("fd77::/64");

void check_reply(std::string_view bytes, size_t relays) {
  for (; relays > 0; --relays) {
    require(bytes.size() >= 34 && bytes[0] == static_cast<char>(MessageType::relay_reply),
            "each relay finds its wrapping");
    const auto inner = find_option(bytes.substr(34), kRelayMessage);
    require(inner.has_value(), "with a message in it");
    bytes = *inner;
  }
  const auto view = MessageView::parse(bytes);
  require(view.has_value() && view->relay_count == 0, "a reply is a whole message");
  OptionCursor cursor(view->options);
  while (cursor.next()) {
    if (cursor.code() != kIaNa) continue;
    const auto association = read_association(cursor.value());
    require(association.has_value(), "its associations are whole");
    OptionCursor inner(association->options);
    while (inner.next()) {
      if (inner.code() != kIaAddress) continue;
      Reader value(inner.value());
      const auto address = Ipv6::from(value.take(16));
      const uint32_t preferred = value.u32();
      require(value.ok() && address.has_value(), "its addresses are whole");
      require(preferred == 0 || kPrefix.contains(*address), "and the subnet's");
    }
  }
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  const SomeMachines machines;
  ServerConfig config;
  config.duid = "SERVERID";
  Subnet subnet;
  subnet.prefix = kPrefix;
  subnet.derive = true;
  subnet.name_servers = {*Ipv6::parse("fd77::1")};
  subnet.search = {"cluster.test"};
  config.subnets = {subnet};
  Server server(config, machines);
  const auto view = MessageView::parse(input);
  std::array<char, kMaxMessage> out{};
  for (const bool multicast : {true, false}) {
    const Arrival arrival{*Ipv6::parse("fd77::1"), *Ipv6::parse("fe80::5054:ff:fe77:1"), multicast};
    const Decision decision = server.decide(input, arrival, out);
    require(view.has_value() || !decision.reply, "garbage is not answered");
    if (decision.reply) check_reply({out.data(), decision.size}, view->relay_count);
  }
}
