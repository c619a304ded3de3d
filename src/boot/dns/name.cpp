// Reading names safely, and comparing them without their case.
#include "boot/dns/name.hpp"

#include <algorithm>

namespace drover::boot::dns {

namespace {

constexpr uint8_t kPointer = 0xc0;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Length bytes are below 64 and so never letters: whole names can be compared byte by byte.
bool same_bytes(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace

bool Name::append(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || size_ + label.size() + 1 > kMaxName) {
    return false;
  }
  bytes_[size_ - 1] = static_cast<char>(label.size());
  std::copy(label.begin(), label.end(), bytes_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += label.size() + 1;
  bytes_[size_ - 1] = 0;
  return true;
}

std::optional<Name> Name::read(std::string_view message, size_t& at) {
  Name name;
  size_t place = at;
  size_t limit = at;  // the next pointer must lead before this
  bool jumped = false;
  while (place < message.size()) {
    const auto length = static_cast<uint8_t>(message[place]);
    if (length == 0) {
      if (!jumped) at = place + 1;
      return name;
    }
    if ((length & kPointer) == kPointer) {
      if (place + 1 >= message.size()) return {};
      const size_t target =
          static_cast<size_t>(length & ~kPointer) << 8 | static_cast<uint8_t>(message[place + 1]);
      if (target >= limit) return {};
      if (!jumped) at = place + 2;
      jumped = true;
      limit = target;
      place = target;
      continue;
    }
    if (length > kMaxLabel || place + 1 + length > message.size()) return {};
    if (!name.append(message.substr(place + 1, length))) return {};
    place += 1 + size_t{length};
  }
  return {};
}

std::optional<Name> Name::parse(std::string_view text) {
  Name name;
  if (text.ends_with('.')) text.remove_suffix(1);
  while (!text.empty()) {
    const size_t dot = text.find('.');
    if (!name.append(text.substr(0, dot))) return {};
    if (dot == std::string_view::npos) return name;
    text.remove_prefix(dot + 1);
    if (text.empty()) return {};
  }
  return name;
}

std::string Name::text() const {
  std::string out;
  for (size_t at = 0; bytes_[at] != 0;) {
    const auto length = static_cast<uint8_t>(bytes_[at]);
    if (at != 0) out += '.';
    for (const char c : wire().substr(at + 1, length)) {
      if (is_plain(c)) {
        out += c;
        continue;
      }
      const auto value = static_cast<uint8_t>(c);
      out += '\\';
      out += static_cast<char>('0' + value / 100);
      out += static_cast<char>('0' + value / 10 % 10);
      out += static_cast<char>('0' + value % 10);
    }
    at += 1 + size_t{length};
  }
  return out.empty() ? "." : out;
}

size_t Name::labels() const {
  size_t count = 0;
  for (size_t at = 0; bytes_[at] != 0; at += 1 + static_cast<uint8_t>(bytes_[at])) ++count;
  return count;
}

std::string_view Name::first() const {
  return wire().substr(1, static_cast<uint8_t>(bytes_[0]));
}

Name Name::parent() const {
  Name out;
  if (bytes_[0] == 0) return out;
  const std::string_view rest = wire().substr(1 + static_cast<uint8_t>(bytes_[0]));
  std::copy(rest.begin(), rest.end(), out.bytes_.begin());
  out.size_ = rest.size();
  return out;
}

Name Name::lowered() const {
  Name out = *this;
  std::transform(wire().begin(), wire().end(), out.bytes_.begin(), lower);
  return out;
}

bool Name::same_as(const Name& other) const {
  return same_bytes(wire(), other.wire());
}

bool Name::is_in(const Name& zone) const {
  const size_t mine = labels();
  const size_t zones = zone.labels();
  if (mine < zones) return false;
  std::string_view rest = wire();
  for (size_t i = zones; i < mine; ++i) rest.remove_prefix(1 + static_cast<uint8_t>(rest[0]));
  return same_bytes(rest, zone.wire());
}

}  // namespace drover::boot::dns
