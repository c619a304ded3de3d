// The Range field of a request (RFC 9110 section 14) against a body of known size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::net {

/// What a Range field asks of `size` bytes.
struct RangeRequest {
  enum class Kind : uint8_t {
    whole,          ///< no range, one that is malformed or in another unit, or several: all of it
    part,           ///< `first` to `last`
    unsatisfiable,  ///< none of it lies within the body: 416
  };
  Kind kind = Kind::whole;
  uint64_t first = 0;
  uint64_t last = 0;  ///< inclusive
  [[nodiscard]] uint64_t length(uint64_t size) const {
    return kind == Kind::part ? last - first + 1 : size;
  }
  friend bool operator==(const RangeRequest&, const RangeRequest&) = default;
};

/// Reads "bytes=0-99", "bytes=100-" or "bytes=-50". Several ranges are answered with everything,
/// as section 14.2 allows: no boot firmware asks for them.
RangeRequest parse_range(std::string_view field, uint64_t size);

/// "bytes 0-99/1000", or "bytes */1000" for an unsatisfiable one.
std::string content_range(const RangeRequest& range, uint64_t size);

}  // namespace drover::net
