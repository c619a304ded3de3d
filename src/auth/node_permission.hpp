// A node's owner, group and mode, as in Scyld: who with the role user may change or use it. Pure.
#pragma once

#include "auth/principal.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::auth {

/// What a request does to nodes.
enum class NodeUse : uint8_t {
  change,  ///< its record: the bits w
  run,     ///< something on it: the bits x
};

struct NodePermission {
  std::string owner = "root";
  std::string group = "root";
  uint16_t mode = 0755;  ///< rwx for owner, group and others
};

/// Whether the principal, who has the role user, may do that. The first class that fits decides, as
/// for files: owner, else group, else others; `any` as owner or group is everybody. `groups`: those
/// of its account.
bool may_use(const Principal& principal, const std::vector<std::string>& groups,
             const NodePermission& permission, NodeUse use);

}  // namespace drover::auth
