// Builds DHCPv6 messages for tests.
#pragma once

#include "boot/dhcp6/server.hpp"
#include "boot/test_support.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::boot::dhcp6::test {

using boot::test::hex;
using boot::test::unhex;

inline Ipv6 ip(std::string_view text) {
  return *Ipv6::parse(text);
}
inline std::string number16(uint32_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
inline std::string number32(uint32_t value) {
  return number16(value >> 16) + number16(value);
}
inline std::string option(uint16_t code, std::string_view value) {
  return number16(code) + number16(static_cast<uint32_t>(value.size())) + std::string(value);
}
inline std::string association(uint32_t id, const std::vector<std::string>& addresses = {}) {
  std::string value = number32(id) + number32(0) + number32(0);
  for (const std::string& text : addresses) {
    value += option(kIaAddress, std::string(ip(text).view()) + number32(60) + number32(60));
  }
  return option(kIaNa, value);
}
inline std::string message(MessageType type, const std::string& options) {
  return number32(static_cast<uint32_t>(type) << 24 | 0xabcdef) + options;
}
/// A vendor class of PXE's enterprise with one piece.
inline std::string vendor_class(std::string_view text) {
  return option(kVendorClass, number32(kPxeEnterprise) +
                                  number16(static_cast<uint32_t>(text.size())) + std::string(text));
}
inline std::string relayed(const std::string& inner, std::string_view link, std::string_view peer,
                           const std::string& options = {}, uint8_t hops = 0) {
  return std::string(1, static_cast<char>(MessageType::relay_forward)) + static_cast<char>(hops) +
         std::string(ip(link).view()) + std::string(ip(peer).view()) + options +
         option(kRelayMessage, inner);
}

/// DUIDs of the kinds of RFC 8415 section 11 and RFC 6355.
const std::string kDuidLl = unhex("0003 0001 525400770001");
const std::string kDuidLlt = unhex("0001 0001 29aabbcc 525400770001");
const std::string kDuidUuid = unhex("0004 00111111222233334444000000000012");
const std::string kStranger = unhex("0003 0001 525400aaaa01");
const std::string kServer = unhex("0004 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");

struct Machines final : ReservationView {
  [[nodiscard]] const Reservation* by_hardware(const HardwareAddress& address) const override {
    return find("hardware " + address.text());
  }
  [[nodiscard]] const Reservation* by_uuid(std::string_view uuid) const override {
    return find("uuid " + hex(uuid));
  }
  [[nodiscard]] const Reservation* by_duid(std::string_view duid) const override {
    return find("duid " + hex(duid));
  }
  [[nodiscard]] const Reservation* by_port(std::string_view interface_id,
                                           std::string_view remote_id) const override {
    return find("port " + std::string(interface_id) + "/" + std::string(remote_id));
  }
  [[nodiscard]] const Reservation* find(const std::string& key) const {
    const auto found = all.find(key);
    return found == all.end() ? nullptr : &found->second;
  }
  std::map<std::string, Reservation> all;
};

struct ServerTest : testing::Test {
  ServerTest() {
    machines.all["hardware 52:54:00:77:00:01"] = node("n1", "fd77::113");
    machines.all["uuid 00111111222233334444000000000012"] = node("n18", "fd77::130");
    config.duid = kServer;
    config.key = {1, 2};
    Subnet local;
    local.prefix = *Prefix6::parse("fd77::/64");
    local.name_servers = {ip("fd77::1")};
    local.search = {"cluster.test"};
    local.derive = true;
    Subnet far = local;
    far.prefix = *Prefix6::parse("fd78::/64");
    config.subnets = {local, far};
    restart();
  }
  static Reservation node(std::string name, std::string_view address) {
    Reservation made;
    made.name = std::move(name);
    made.addresses = {ip(address)};
    return made;
  }
  void restart() { server = std::make_unique<Server>(config, machines); }

  const Decision& decide(const std::string& packet) {
    sent = packet;
    decision = server->decide(sent, arrival, out);
    reply = {};
    if (decision.reply) {
      // What goes to a client reads like what comes from one, but for the type of relays.
      std::string bytes(out.data(), decision.size);
      unwrapped.clear();
      while (!bytes.empty() && bytes[0] == static_cast<char>(MessageType::relay_reply)) {
        unwrapped.push_back(bytes.substr(0, 34));
        interface_ids.emplace_back(find_option(bytes.substr(34), kInterfaceId).value_or("-"));
        bytes = std::string(find_option(std::string_view(bytes).substr(34), kRelayMessage).value());
      }
      received = bytes;
      const auto view = MessageView::parse(received);
      EXPECT_TRUE(view);
      if (view) reply = *view;
      EXPECT_EQ(reply.type, *decision.reply);
      EXPECT_EQ(reply.xid, 0xabcdefU);
      EXPECT_EQ(reply.option(kServerId), config.duid);
    }
    return decision;
  }
  Outcome outcome(const std::string& packet) { return decide(packet).outcome; }
  /// "fd77::113" of each address in the reply, "status N" of each status in its associations.
  std::vector<std::string> given() const {
    std::vector<std::string> all;
    OptionCursor cursor(reply.options);
    while (cursor.next()) {
      if (cursor.code() != kIaNa) continue;
      const auto read = read_association(cursor.value());
      OptionCursor inner(read->options);
      while (inner.next()) {
        Reader value(inner.value());
        if (inner.code() == kStatusCode) {
          all.push_back("status " + std::to_string(value.u16()));
        } else if (inner.code() == kIaAddress) {
          const std::string text = Ipv6::from(value.take(16))->text();
          const uint32_t preferred = value.u32();
          all.push_back(preferred == 0 && value.u32() == 0 ? text + " gone" : text);
        }
      }
    }
    return all;
  }
  int status() const {
    const auto value = reply.option(kStatusCode);
    return value ? Reader(*value).u16() : -1;
  }

  Machines machines;
  ServerConfig config;
  Arrival arrival{ip("fd77::1"), ip("fe80::5054:ff:fe99:1"), true};
  std::unique_ptr<Server> server;
  std::string sent;
  std::string received;
  std::vector<std::string> unwrapped;
  std::vector<std::string> interface_ids;
  Decision decision;
  MessageView reply;
  std::array<char, kMaxMessage> out{};
};

}  // namespace drover::boot::dhcp6::test
