// Addresses as text, and what a Net without datagrams answers.
#include "net/datagram.hpp"

#include "net/net.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/core.h>

namespace drover::net {
namespace {

std::optional<InetAddress> parse_host(std::string_view text) {
  // The longest text of an address, "ffff:..:255.255.255.255", has 45 characters.
  std::array<char, 48> copy{};
  if (text.empty() || text.size() >= copy.size()) return {};
  std::copy(text.begin(), text.end(), copy.begin());
  in_addr v4{};
  if (inet_pton(AF_INET, copy.data(), &v4) == 1) return InetAddress::v4(ntohl(v4.s_addr));
  std::array<uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, copy.data(), v6.data()) == 1) return InetAddress::v6(v6);
  return {};
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return port;
}

Error no_datagrams() {
  return Error{Code::unsupported, "no datagrams over this connection", {}, {}};
}

}  // namespace

InetAddress InetAddress::v4(uint32_t address, uint16_t port) {
  InetAddress out;
  out.family = Family::v4;
  for (size_t i = 0; i < 4; ++i) out.octets[i] = static_cast<uint8_t>(address >> (24 - 8 * i));
  out.port = port;
  return out;
}

InetAddress InetAddress::v6(const std::array<uint8_t, 16>& address, uint16_t port) {
  InetAddress out;
  out.family = Family::v6;
  out.octets = address;
  out.port = port;
  return out;
}

std::optional<InetAddress> InetAddress::parse(std::string_view text) {
  if (auto whole = parse_host(text)) return whole;
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (brackets) host = host.substr(1, host.size() - 2);
  auto out = parse_host(host);
  const auto port = parse_port(text.substr(colon + 1));
  if (!out || !port || out->is_v6() != brackets) return {};
  out->port = *port;
  return out;
}

uint32_t InetAddress::v4_value() const {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | octets[i];
  return value;
}

bool InetAddress::is_group() const {
  if (is_v6()) return octets[0] == 0xff;
  return is_v4() && (octets[0] >> 4 == 0xe || v4_value() == kBroadcastV4);
}

bool InetAddress::is_any() const {
  return !is_none() && octets == std::array<uint8_t, 16>{};
}

bool InetAddress::is_link_local() const {
  return is_v6() && octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

InetAddress InetAddress::with_port(uint16_t other) const {
  InetAddress out = *this;
  out.port = other;
  return out;
}

std::string InetAddress::host_text() const {
  if (is_none()) return "none";
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
  return text.data();
}

std::string InetAddress::text() const {
  return is_v6() ? fmt::format("[{}]:{}", host_text(), port)
                 : fmt::format("{}:{}", host_text(), port);
}

Result<std::unique_ptr<DatagramSocket>> Net::open_datagrams(const DatagramOptions& /*options*/,
                                                            DatagramHandler& /*handler*/) {
  return tl::unexpected(no_datagrams());
}

Result<std::vector<NetInterface>> Net::interfaces() {
  return tl::unexpected(no_datagrams());
}

Result<std::unique_ptr<AddressProbe>> Net::probe_address(uint32_t /*interface*/,
                                                         const InetAddress& /*address*/,
                                                         Duration /*wait*/,
                                                         ProbeCallback /*answered*/) {
  return tl::unexpected(no_datagrams());
}

}  // namespace drover::net
