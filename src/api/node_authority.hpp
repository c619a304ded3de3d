// Which nodes a request may change: the one place where limits of grants and credentials, and the
// owner, group and mode of nodes, are enforced.
#pragma once

#include "auth/node_permission.hpp"
#include "auth/policy.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"
#include "cluster/model.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace drover::api {

/// Executor's thread only.
class NodeAuthority {
 public:
  /// Groups of a login name on this host, with its first group's id; may be empty.
  using GroupsOf = Callback<std::vector<std::string>(const std::string& user, uint32_t gid)>;

  /// `model` outlives it.
  explicit NodeAuthority(const cluster::Model& model, GroupsOf groups_of = {})
      : model_(model), groups_of_(std::move(groups_of)) {}

  /// denied, naming folded which of `names` are outside a limit or not allowed by their permission.
  /// Names that are no nodes yet stand for themselves, so a limit of n[1-16] covers making n9.
  [[nodiscard]] Status check(const auth::Principal& principal, const auth::Standing& standing,
                             std::span<const std::string> names, auth::NodeUse use);

 private:
  [[nodiscard]] Status check_limit(const auth::Principal& principal, const std::string& limit,
                                   std::span<const std::string> names);
  [[nodiscard]] Status check_permissions(const auth::Principal& principal,
                                         std::span<const std::string> names, auth::NodeUse use);
  Result<const std::vector<std::string>*> expand(const std::string& limit);

  const cluster::Model& model_;
  GroupsOf groups_of_;
  /// Sorted names of each limit, as of a generation of the model.
  std::map<std::string, std::pair<uint64_t, std::vector<std::string>>> expanded_;
};

}  // namespace drover::api
