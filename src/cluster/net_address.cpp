#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

using Ipv6 = std::array<uint16_t, 8>;

std::optional<unsigned> number(std::string_view text, int base, size_t most_digits, unsigned most) {
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  unsigned value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  if (error != std::errc{} || end != last || value > most) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (;;) {
    const size_t at = text.find(by);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::vector<uint8_t>> octets_of(std::string_view text) {
  const char by = text.find(':') != std::string_view::npos   ? ':'
                  : text.find('-') != std::string_view::npos ? '-'
                                                             : '.';
  const size_t width = by == '.' ? 4 : 2;
  std::vector<uint8_t> out;
  out.reserve(text.size() / 2);
  for (;;) {
    const std::string_view part = text.substr(0, text.find(by));
    if (part.size() != width) return std::nullopt;
    for (size_t i = 0; i < width; i += 2) {
      const auto octet = number(part.substr(i, 2), 16, 2, 0xff);
      if (!octet) return std::nullopt;
      out.push_back(static_cast<uint8_t>(*octet));
    }
    if (part.size() == text.size()) return out;
    text.remove_prefix(part.size() + 1);
  }
}

std::optional<std::array<unsigned, 4>> parse_ipv4(std::string_view text) {
  std::array<unsigned, 4> out{};
  for (size_t i = 0; i < 4; ++i) {
    const size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    // A leading zero means octal to some programs and decimal to others.
    const auto value =
        part.size() > 1 && part.front() == '0' ? std::nullopt : number(part, 10, 3, 255);
    if (!value) return std::nullopt;
    out.at(i) = *value;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out;
}

/// Appends the groups of one side of "::"; false when they are malformed.
bool read_groups(std::string_view text, bool may_end_in_ipv4, std::vector<uint16_t>& out) {
  if (text.empty()) return true;
  const auto parts = split(text, ':');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (may_end_in_ipv4 && i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      const auto tail = parse_ipv4(parts[i]);
      if (!tail) return false;
      out.push_back(static_cast<uint16_t>((tail->at(0) << 8U) | tail->at(1)));
      out.push_back(static_cast<uint16_t>((tail->at(2) << 8U) | tail->at(3)));
      continue;
    }
    const auto group = number(parts[i], 16, 4, 0xffff);
    if (!group) return false;
    out.push_back(static_cast<uint16_t>(*group));
  }
  return true;
}

std::optional<Ipv6> parse_ipv6(std::string_view text) {
  const size_t gap = text.find("::");
  std::vector<uint16_t> head;
  std::vector<uint16_t> tail;
  const bool has_gap = gap != std::string_view::npos;
  if (!read_groups(text.substr(0, gap), !has_gap, head)) return std::nullopt;
  if (has_gap && !read_groups(text.substr(gap + 2), true, tail)) return std::nullopt;
  const size_t held = head.size() + tail.size();
  if (has_gap ? held > 7 : held != 8) return std::nullopt;
  Ipv6 out{};
  std::ranges::copy(head, out.begin());
  std::ranges::copy(tail, out.end() - static_cast<ptrdiff_t>(tail.size()));
  return out;
}

/// RFC 5952: the longest run of two or more zero groups, the first of equals, becomes "::".
std::string ipv6_text(const Ipv6& groups) {
  size_t best = 8;
  size_t length = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t end = i;
    while (end < 8 && groups.at(end) == 0) ++end;
    if (end - i > length) {
      best = i;
      length = end - i;
    }
    if (end > i) i = end;
  }
  std::string out;
  for (size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    out += fmt::format("{:x}", groups.at(i));
  }
  return out;
}

}  // namespace

std::optional<std::string> canonical_mac(std::string_view text) {
  const auto octets = octets_of(text);
  if (!octets) return std::nullopt;
  const size_t size = octets->size();
  if (size != 6 && size != 8 && size != 20) return std::nullopt;
  if (std::ranges::all_of(*octets, [](uint8_t octet) { return octet == 0; })) return std::nullopt;
  if (size == 6 && (octets->front() & 1U) != 0) return std::nullopt;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(size * 3);
  for (const uint8_t octet : *octets) {
    if (!out.empty()) out.push_back(':');
    out.push_back(kDigits[octet >> 4U]);
    out.push_back(kDigits[octet & 0xfU]);
  }
  return out;
}

std::optional<std::string> canonical_address(std::string_view text) {
  const std::string_view address = without_prefix(text);
  const auto v4 = parse_ipv4(address);
  const auto v6 = v4 ? std::nullopt : parse_ipv6(address);
  if (!v4 && !v6) return std::nullopt;
  std::string out = v4 ? std::string(address) : ipv6_text(*v6);  // of IPv4 only one form is read
  if (address.size() == text.size()) return out;
  const auto prefix = number(text.substr(address.size() + 1), 10, 3, v4 ? 32 : 128);
  if (!prefix) return std::nullopt;
  return fmt::format("{}/{}", out, *prefix);
}

std::optional<std::vector<uint8_t>> address_octets(std::string_view text) {
  if (const auto v4 = parse_ipv4(text)) {
    std::vector<uint8_t> out;
    for (const unsigned part : *v4) out.push_back(static_cast<uint8_t>(part));
    return out;
  }
  const auto v6 = parse_ipv6(text);
  if (!v6) return std::nullopt;
  std::vector<uint8_t> out;
  for (const uint16_t group : *v6) {
    out.push_back(static_cast<uint8_t>(group >> 8U));
    out.push_back(static_cast<uint8_t>(group & 0xffU));
  }
  return out;
}

std::string address_text(std::span<const uint8_t> octets) {
  if (octets.size() == 4) {
    return fmt::format("{}.{}.{}.{}", octets[0], octets[1], octets[2], octets[3]);
  }
  if (octets.size() != 16) return {};
  Ipv6 groups{};
  for (size_t i = 0; i < groups.size(); ++i) {
    groups.at(i) = static_cast<uint16_t>((octets[2 * i] << 8U) | octets[2 * i + 1]);
  }
  return ipv6_text(groups);
}

std::string_view without_prefix(std::string_view address) {
  return address.substr(0, address.find('/'));
}

}  // namespace drover::cluster
