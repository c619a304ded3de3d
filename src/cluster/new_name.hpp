// Names that a new node may have.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace drover::cluster {

/// check_node_name(), and that no built-in group is called so: a bare name means a node before it
/// means a group, so a node called `compute` would stand in the way of all compute nodes.
Status check_new_node_name(std::string_view name);

}  // namespace drover::cluster
