// What must be unique over the cluster (aliases, NIDs, MACs, IP addresses): computed from a node,
// and kept beside the nodes so that a write looks at what it changes alone. Private to the writer
// of definitions.
#pragma once

#include "base/result.hpp"
#include "cluster/attributes.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Most nodes that may have one BMC: more than any chassis has.
inline constexpr size_t kMostOnOneBmc = 64;

/// Claims ("mac/02:..") to the field of the spec that makes each. A claim with more behind a space
/// ("ip/10.1.0.1 bmc redfish ..") may be shared by nodes that make the very same.
using Claims = std::map<std::string, std::string>;

/// "ip/10.1.0.1" of either.
std::string_view what_of(std::string_view claim);
/// Whether two nodes may make these two claims to the same thing.
bool may_share(std::string_view claim, std::string_view other);

/// The claims of a node. Errors name the field: a formula that cannot be evaluated or gives no
/// address, and an address that the node has twice.
Result<Claims> claims_of(const Node& node, const Definitions& definitions);

/// Whether the two say the same of everything that claims_of() reads in a node, and nothing in it
/// is a formula, whose value might have changed.
bool same_claims(const NodeSpec& before, const NodeSpec& after);

/// Claims as they are kept in the store.
class ClaimBook {
 public:
  explicit ClaimBook(store::Transaction& tx) : tx_(tx) {}

  /// check(), release() and hold() for a node whose claims were not let go of.
  Status take(const std::string& node, const Claims& claims);
  /// Whether `node` holds exactly these.
  Result<bool> holds(const std::string& node, const Claims& claims);
  /// Ok when nobody but `node` holds any of them, or all who do share the claim; otherwise conflict
  /// naming the field, the value and who has it.
  Status check(const std::string& node, const Claims& claims);
  /// Ok when no other node has `name` as an alias.
  Status check_name(const std::string& name);
  /// Lets go of what `node` holds beyond `keep`.
  Status release(const std::string& node, const Claims& keep);
  /// Notes that `node` holds exactly these; they were checked.
  Status hold(const std::string& node, const Claims& claims);
  struct Holder {
    std::string node;
    std::string claim;
  };
  /// All who hold "ip/10.1.0.1" now, whatever else their claims say.
  Result<std::vector<Holder>> holders(std::string_view what);
  /// Who holds it now, the first of several; empty: nobody.
  Result<std::string> holder(const std::string& claim);

 private:
  using Held = std::set<std::string, std::less<>>;
  Result<Held> held_by(const std::string& node);
  Status note(std::string_view what, const std::vector<Holder>& holders);
  Status check(const std::string& node, const Claims& claims, const Held& held);
  Status release(const std::string& node, const Claims& keep, const Held& held);
  Status hold(const std::string& node, const Claims& claims, const Held& held);

  store::Transaction& tx_;
};

}  // namespace drover::cluster
