// A request target taken apart: decoded path segments and query parameters (RFC 3986).
#pragma once

#include "base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::net {

/// "/api/v1/nodes/n%201?limit=5&all" -> segments {api, v1, nodes, "n 1"}, query {limit: 5, all:
/// ""}.
struct Target {
  std::vector<std::string> segments;                      ///< decoded; a "/" inside one was %2F
  std::map<std::string, std::string, std::less<>> query;  ///< decoded; "+" reads as a space

  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

  /// invalid_argument for what does not start with "/", bad percent-encoding, a zero byte, "." and
  /// ".." segments, an empty segment (but one trailing "/" is taken) or a parameter given twice.
  static Result<Target> parse(std::string_view target);
};

/// Percent-decodes; `plus_is_space` as in queries.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Encodes all but the unreserved characters (RFC 3986 section 2.3), for one segment or parameter.
std::string percent_encode(std::string_view text);

}  // namespace drover::net
