#include "auth/node_permission.hpp"

#include <algorithm>

namespace drover::auth {

bool may_use(const Principal& principal, const std::vector<std::string>& groups,
             const NodePermission& permission, NodeUse use) {
  const std::string account = principal.account();
  constexpr int kOwnerShift = 6;
  constexpr int kGroupShift = 3;
  int shift = 0;
  if (permission.owner == "any" || (!account.empty() && account == permission.owner)) {
    shift = kOwnerShift;
  } else if (permission.group == "any" ||
             std::ranges::find(groups, permission.group) != groups.end()) {
    shift = kGroupShift;
  }
  const unsigned bit = use == NodeUse::change ? 2U : 1U;
  return ((static_cast<unsigned>(permission.mode) >> shift) & bit) != 0;
}

}  // namespace drover::auth
