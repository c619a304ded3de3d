// Rules for the names of nodes and daemons.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace drover::cluster {

/// Longest name: that of a host name (RFC 1123 section 2.1).
inline constexpr size_t kMaxNodeName = 253;

/// Ok for lower-case RFC 1123 labels (letters, digits and inner hyphens, 1 to 63 each) joined by
/// dots, with at least one letter. Otherwise invalid_argument naming the rule that is broken.
Status check_node_name(std::string_view name);

}  // namespace drover::cluster
