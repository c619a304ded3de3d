#include "cluster/names.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

tl::unexpected<Error> bad_name(std::string_view name, std::string_view why) {
  constexpr size_t kShown = 80;
  return fail(Code::invalid_argument,
              fmt::format("'{}' cannot name a node: {}", printable(name.substr(0, kShown)), why),
              "use lower-case letters, digits and inner hyphens, in parts joined by dots, e.g. "
              "rack1-n07");
}

Status check_label(std::string_view name, std::string_view label) {
  constexpr size_t kMaxLabel = 63;  // RFC 1035 section 2.3.4
  if (label.empty()) return bad_name(name, "it has an empty part between dots");
  if (label.size() > kMaxLabel) {
    return bad_name(name, fmt::format("a part is longer than {} characters", kMaxLabel));
  }
  for (const char c : label) {
    if (c >= 'A' && c <= 'Z') {
      return bad_name(name, "upper-case letters are not allowed, since host names ignore case");
    }
    if (!is_lower(c) && !is_digit(c) && c != '-') {
      return bad_name(name, fmt::format("'{}' is not allowed", printable({&c, 1})));
    }
  }
  if (label.front() == '-' || label.back() == '-') {
    return bad_name(name, "a part begins or ends with a hyphen");
  }
  return {};
}

}  // namespace

Status check_node_name(std::string_view name) {
  if (name.empty()) return bad_name(name, "it is empty");
  if (name.size() > kMaxNodeName) {
    return bad_name(name, fmt::format("it is longer than {} characters", kMaxNodeName));
  }
  for (std::string_view rest = name;;) {
    const size_t dot = rest.find('.');
    DROVER_CHECK_OK(check_label(name, rest.substr(0, dot)));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (std::ranges::none_of(name, is_lower)) {
    return bad_name(name, "it has no letter, so it reads as a number or an address");
  }
  return {};
}

}  // namespace drover::cluster
