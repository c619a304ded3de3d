// A reader of four nested DER values, strict: lengths in their one form, nothing left over.
#include "auth/plain_request.hpp"

#include <cstdint>

namespace drover::auth {
namespace {

constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kBitString = 0x03;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kAttributes = 0xa0;  // [0]
constexpr std::string_view kVersion1("\0", 1);
// ecdsa-with-SHA256 without parameters (RFC 5758 section 3.2).
constexpr std::string_view kAlgorithm("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 10);

struct Value {
  std::string_view whole;
  std::string_view content;
};

/// Takes the first value of `from`, which must have this tag and at most 65,535 bytes (X.690
/// section 10.1: as few bytes of length as do).
std::optional<Value> take(std::string_view& from, uint8_t tag) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(from[at]); };
  if (from.size() < 2 || byte(0) != tag) return {};
  size_t header = 2;
  size_t length = byte(1);
  if (length == 0x81 && from.size() >= 3 && byte(2) >= 0x80) {
    header = 3;
    length = byte(2);
  } else if (length == 0x82 && from.size() >= 4 && byte(2) != 0) {
    header = 4;
    length = size_t{byte(2)} << 8 | byte(3);
  } else if (length >= 0x80) {
    return {};
  }
  if (from.size() - header < length) return {};
  const Value out{from.substr(0, header + length), from.substr(header, length)};
  from.remove_prefix(out.whole.size());
  return out;
}

/// The point of a SubjectPublicKeyInfo that is a P-256 key's, uncompressed.
std::optional<std::string_view> point_of(std::string_view info) {
  if (info.size() != kP256Info.size() + kP256Point || !info.starts_with(kP256Info)) return {};
  info.remove_prefix(kP256Info.size());
  if (info.front() != 4) return {};
  return info;
}

}  // namespace

std::optional<PlainRequest> read_plain_request(std::string_view der) {
  const auto outer = take(der, kSequence);
  if (!outer || !der.empty()) return {};
  std::string_view left = outer->content;
  const auto info = take(left, kSequence);
  const auto algorithm = take(left, kSequence);
  const auto signature = take(left, kBitString);
  if (!info || !algorithm || !signature || !left.empty()) return {};
  if (algorithm->content != kAlgorithm || !signature->content.starts_with('\0')) return {};
  left = info->content;
  const auto version = take(left, kInteger);
  const auto subject = take(left, kSequence);
  const auto key = take(left, kSequence);
  const auto attributes = take(left, kAttributes);
  if (!version || !subject || !key || !attributes || !left.empty()) return {};
  if (version->content != kVersion1) return {};
  const auto point = point_of(key->whole);
  if (!point) return {};
  return PlainRequest{info->whole, *point, signature->content.substr(1)};
}

}  // namespace drover::auth
