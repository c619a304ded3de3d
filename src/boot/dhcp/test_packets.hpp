// Builds DHCPv4 messages for tests, and reads the server's replies.
#pragma once

#include "boot/dhcp/packet.hpp"
#include "boot/test_support.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::boot::dhcp::test {

inline Ipv4 ip(std::string_view text) {
  return *Ipv4::parse(text);
}
inline HardwareAddress mac(std::string_view text) {
  return *HardwareAddress::parse(text);
}
inline std::string bytes_of(Ipv4 address) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(address.value >> shift);
  return out;
}

/// A message of a client, changed at will before bytes().
struct Message {
  Header header;
  std::vector<std::pair<uint8_t, std::string>> options;

  explicit Message(MessageType type, std::string_view hardware = "52:54:00:77:00:01") {
    header.op = 1;
    header.xid = 0x12345678;
    header.hardware = mac(hardware);
    options.emplace_back(kMessageType, std::string(1, static_cast<char>(type)));
  }
  Message& with(uint8_t code, std::string value) {
    options.emplace_back(code, std::move(value));
    return *this;
  }
  Message& with(uint8_t code, Ipv4 address) { return with(code, bytes_of(address)); }
  [[nodiscard]] std::string bytes() const {
    std::array<char, kMaxMessage> space{};
    PacketWriter out(header, space, space.size());
    for (const auto& [code, value] : options) EXPECT_TRUE(out.option(code, value));
    return {space.data(), out.finish()};
  }
};

/// A message and the space that its view needs.
struct Read {
  explicit Read(std::string message) : bytes(std::move(message)) {
    auto parsed = PacketView::parse(bytes, join_space);
    if (parsed)
      view = *parsed;
    else
      why = parsed.error();
  }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

  std::string bytes;
  std::array<char, kMaxMessage> join_space{};
  std::optional<PacketView> view;
  std::optional<Malformed> why;
};

/// Codes of a message's options in their order.
inline std::vector<int> codes(const PacketView& view) {
  std::vector<int> all;
  for (const std::string_view field : view.fields()) {
    OptionCursor cursor(field);
    while (cursor.next()) all.push_back(cursor.code());
  }
  return all;
}

}  // namespace drover::boot::dhcp::test
