// Owner, group and mode of a node: who below an administrator may change it or run something on it.
// The role says what somebody may do at all, the mode says on which nodes.
#pragma once

#include "base/result.hpp"
#include "cluster/node_spec.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Who asks, as far as modes go.
struct Asker {
  /// Administrators and the cluster's own daemons pass every mode, as root does.
  bool passes = true;
  std::string user;                 ///< login name; may be empty
  std::vector<std::string> groups;  ///< names and numbers of the groups
};

/// The bits of a mode's digits.
enum class NodeAccess : uint8_t { execute = 1, write = 2, read = 4 };

/// Ok, or denied naming the node, its owner, group and mode. As with a file, the first digit counts
/// for the owner, the second for others in the group, the third for everybody else; `any` as owner
/// or group is everybody.
Status may(NodeAccess access, const NodeSpec& spec, std::string_view node, const Asker& asker);

}  // namespace drover::cluster
