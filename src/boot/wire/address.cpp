// Written forms of addresses, by hand: this room has no sockets, so no inet_pton either.
#include "boot/wire/address.hpp"

#include <charconv>

namespace drover::boot {

namespace {

/// A decimal number up to `most` without sign or leading zeros.
std::optional<uint32_t> decimal(std::string_view text, uint32_t most) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return {};
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return {};
  return value;
}

std::optional<uint16_t> hexadecimal(std::string_view text) {
  if (text.empty() || text.size() > 4) return {};
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// Colon-separated groups of `text`, an IPv4 tail counting as two, appended to `groups`.
bool read_groups(std::string_view text, std::array<uint16_t, 8>& groups, size_t& count) {
  while (!text.empty()) {
    const size_t colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    if (colon == std::string_view::npos && word.find('.') != std::string_view::npos) {
      const auto tail = Ipv4::parse(word);
      if (!tail || count + 2 > groups.size()) return false;
      groups[count++] = static_cast<uint16_t>(tail->value >> 16);
      groups[count++] = static_cast<uint16_t>(tail->value);
      return true;
    }
    const auto group = hexadecimal(word);
    if (!group || count == groups.size()) return false;
    groups[count++] = *group;
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
  }
  return true;
}

/// Where the longest run of two or more zero groups is (RFC 5952 section 4.2).
std::pair<size_t, size_t> longest_zeros(const std::array<uint16_t, 8>& groups) {
  size_t best = 0;
  size_t best_length = 1;
  for (size_t i = 0; i < groups.size();) {
    size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
    i = end + 1;
  }
  return {best, best_length > 1 ? best_length : 0};
}

constexpr char kHex[] = "0123456789abcdef";

}  // namespace

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  Ipv4 address;
  for (int i = 0; i < 4; ++i) {
    const size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return {};
    const auto octet = decimal(text.substr(0, dot), 255);
    if (!octet) return {};
    address.value = address.value << 8 | *octet;
    text.remove_prefix(i == 3 ? text.size() : dot + 1);
  }
  return address;
}

std::string Ipv4::text() const {
  std::string out;
  out.reserve(15);
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (shift != 24) out += '.';
    out += std::to_string(value >> shift & 0xff);
  }
  return out;
}

std::optional<Ipv6> Ipv6::parse(std::string_view text) {
  std::array<uint16_t, 8> groups{};
  const size_t gap = text.find("::");
  size_t count = 0;
  if (gap == std::string_view::npos) {
    if (text.empty() || !read_groups(text, groups, count) || count != 8) return {};
  } else {
    const std::string_view left = text.substr(0, gap);
    // A dotted tail stands at the very end alone.
    if (left.find('.') != std::string_view::npos || !read_groups(left, groups, count)) return {};
    std::array<uint16_t, 8> right{};
    size_t right_count = 0;
    const std::string_view tail = text.substr(gap + 2);
    if (!read_groups(tail, right, right_count) || count + right_count > 7) return {};
    std::copy_n(right.begin(), right_count, groups.end() - static_cast<ptrdiff_t>(right_count));
  }
  Ipv6 address;
  for (size_t i = 0; i < 8; ++i) {
    address.bytes[2 * i] = static_cast<uint8_t>(groups[i] >> 8);
    address.bytes[2 * i + 1] = static_cast<uint8_t>(groups[i]);
  }
  return address;
}

std::optional<Ipv6> Ipv6::from(std::string_view bytes) {
  Ipv6 address;
  if (bytes.size() != address.bytes.size()) return {};
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  return address;
}

std::string Ipv6::text() const {
  std::array<uint16_t, 8> groups{};
  for (size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const auto [begin, length] = longest_zeros(groups);
  std::string out;
  for (size_t i = 0; i < 8; ++i) {
    if (length != 0 && i == begin) {
      out += "::";
      i += length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16).ptr;
    out.append(digits.data(), end);
  }
  return out;
}

std::optional<Prefix4> Prefix4::parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto address = Ipv4::parse(text.substr(0, slash));
  const auto bits = decimal(text.substr(slash + 1), 32);
  if (!address || !bits) return {};
  Prefix4 prefix{*address, static_cast<uint8_t>(*bits)};
  prefix.network.value &= prefix.mask().value;
  return prefix;
}

std::optional<Prefix6> Prefix6::parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto address = Ipv6::parse(text.substr(0, slash));
  const auto bits = decimal(text.substr(slash + 1), 128);
  if (!address || !bits) return {};
  Prefix6 prefix{*address, static_cast<uint8_t>(*bits)};
  for (size_t i = 0; i < 16; ++i) {
    const int kept = std::clamp(static_cast<int>(*bits) - static_cast<int>(8 * i), 0, 8);
    prefix.network.bytes[i] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return prefix;
}

bool Prefix6::contains(const Ipv6& address) const {
  for (size_t i = 0; i < 16 && 8 * i < bits; ++i) {
    const int kept = std::min(static_cast<int>(bits) - static_cast<int>(8 * i), 8);
    if (((address.bytes[i] ^ network.bytes[i]) & static_cast<uint8_t>(0xff00 >> kept)) != 0) {
      return false;
    }
  }
  return true;
}

HardwareAddress HardwareAddress::from(uint8_t type, std::string_view octets) {
  HardwareAddress address;
  address.type = type;
  address.length = static_cast<uint8_t>(std::min(octets.size(), address.octets.size()));
  std::copy_n(octets.begin(), address.length, address.octets.begin());
  return address;
}

std::optional<HardwareAddress> HardwareAddress::parse(std::string_view text) {
  HardwareAddress address;
  while (true) {
    const size_t colon = text.find(':');
    const std::string_view pair = text.substr(0, colon);
    const auto octet = hexadecimal(pair);
    if (pair.size() != 2 || !octet || address.length == address.octets.size()) return {};
    address.octets[address.length++] = static_cast<uint8_t>(*octet);
    if (colon == std::string_view::npos) return address;
    text.remove_prefix(colon + 1);
  }
}

std::string HardwareAddress::text() const {
  std::string out;
  out.reserve(size_t{3} * length);
  for (size_t i = 0; i < length; ++i) {
    if (i != 0) out += ':';
    out += kHex[octets[i] >> 4];
    out += kHex[octets[i] & 15];
  }
  return out;
}

bool HardwareAddress::is_nobody() const {
  const bool zero = std::all_of(octets.begin(), octets.begin() + length,
                                [](uint8_t octet) { return octet == 0; });
  return zero || (type == 1 && length == 6 && (octets[0] & 1) != 0);
}

}  // namespace drover::boot
