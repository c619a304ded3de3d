// Octets of one family compare as numbers do, since they are in network order.
#include "cluster/ip_range.hpp"

#include "cluster/net_address.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

struct Prefix {
  IpAddress address;
  unsigned bits = 0;
};

std::optional<Prefix> read_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !canonical_address(text)) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Prefix out{*address, 0};
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), out.bits);
  return out;
}

/// Every bit behind the first `bits` becomes `to`.
IpAddress with_tail(IpAddress address, unsigned bits, bool to) {
  for (unsigned octet = 0; octet < address.size; ++octet) {
    const unsigned kept = bits > octet * 8 ? std::min(bits - octet * 8, 8U) : 0;
    const auto tail = static_cast<uint8_t>(0xffU >> kept);
    uint8_t& value = address.octets.at(octet);
    value = static_cast<uint8_t>(to ? value | tail : value & ~tail);
  }
  return address;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const auto octets = address_octets(text);
  if (!octets) return std::nullopt;
  IpAddress out;
  out.size = static_cast<uint8_t>(octets->size());
  std::ranges::copy(*octets, out.octets.begin());
  return out;
}

std::string IpAddress::text() const {
  return address_text({octets.data(), size});
}

std::optional<IpRange> IpRange::parse_prefix(std::string_view text) {
  const auto prefix = read_prefix(text);
  if (!prefix) return std::nullopt;
  return IpRange{with_tail(prefix->address, prefix->bits, false),
                 with_tail(prefix->address, prefix->bits, true)};
}

std::optional<IpRange> IpRange::parse_run(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->size != last->size || *last < *first) return std::nullopt;
  return IpRange{*first, *last};
}

std::optional<std::string> canonical_prefix(std::string_view text) {
  const auto prefix = read_prefix(text);
  if (!prefix) return std::nullopt;
  return fmt::format("{}/{}", with_tail(prefix->address, prefix->bits, false).text(), prefix->bits);
}

}  // namespace drover::cluster
