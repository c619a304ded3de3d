// Domain names as they are on the wire (RFC 1035 section 3.1): read with their compression, kept
// as length-prefixed labels in a fixed space. Case is kept, and does not matter when comparing.
#pragma once

#include "boot/wire/bytes.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::boot::dns {

/// With the root's zero byte (RFC 1035 section 2.3.4).
inline constexpr size_t kMaxName = 255;
inline constexpr size_t kMaxLabel = 63;

/// One name: labels with their lengths, the root's zero byte included. No allocation.
class Name {
 public:
  /// The root, ".".
  Name() { bytes_[0] = 0; }

  /// Reads a name at `at` of `message`, moving `at` behind it. Compression pointers must lead
  /// backwards, each before the last, so no message can make this loop. Nothing for what is no
  /// name.
  static std::optional<Name> read(std::string_view message, size_t& at);
  /// From "n1.cluster.test" (a final dot makes no difference; no escapes). Nothing when a label is
  /// empty or over 63 bytes, or all of it over 255.
  static std::optional<Name> parse(std::string_view text);

  /// Labels with lengths and the final zero, as they are sent.
  [[nodiscard]] std::string_view wire() const { return {bytes_.data(), size_}; }
  /// "n1.cluster.test", "." for the root. Bytes that are no letters, digits, '-' or '_' are written
  /// as \DDD (RFC 1035 section 5.1).
  [[nodiscard]] std::string text() const;
  [[nodiscard]] size_t labels() const;
  /// The first label, with its case; empty for the root.
  [[nodiscard]] std::string_view first() const;
  /// Without its first label; the root for the root.
  [[nodiscard]] Name parent() const;
  /// In lower case; its wire() is what tables are keyed by.
  [[nodiscard]] Name lowered() const;
  /// Same labels in any case (RFC 4343).
  [[nodiscard]] bool same_as(const Name& other) const;
  /// This is `zone` or below it.
  [[nodiscard]] bool is_in(const Name& zone) const;

 private:
  bool append(std::string_view label);

  std::array<char, kMaxName> bytes_{};
  size_t size_ = 1;
};

}  // namespace drover::boot::dns
