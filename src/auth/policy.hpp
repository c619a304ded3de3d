// Who may do what. Pure: a principal and the grants in, a role or a refusal in words out.
#pragma once

#include "auth/principal.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// What a principal is trusted with; each includes those before it.
enum class Access : uint8_t { none, viewer, user, operator_, admin };
std::span<const std::string_view> enum_names(Access);
std::string_view name(Access access);
/// One sentence for people: what the role is for.
std::string_view meaning(Access access);
/// Access::none for a text that is no role.
Access access_from_name(std::string_view text);

/// What a request demands.
enum class Privilege {
  open,       ///< nothing: join (it brings its own token) and version
  self,       ///< to be a daemon, acting on itself: renewal
  boot,       ///< to be a boot daemon, speaking for a machine that it has booted
  view,       ///< viewer: every read
  use,        ///< user: changes to nodes and calls, where each node's permission allows it
  operate,    ///< operator: changes to nodes, groups and profiles, calls, operations
  administer  ///< admin: tokens, credentials, grants, settings of the cluster
};
/// The least role that has it; admin for `self` and `boot`, which no role gives.
Access needed_access(Privilege privilege);

/// Gives a role to whoever fits a pattern, in place of what the defaults below say; also a lower
/// one. Patterns are a Principal's text with `*` for any run of bytes. For local users the daemon
/// may be left out: "user:alice" is alice on every host but the computes, where root is not ours
/// and could pretend to be her; "user:alice@compute/n1" says so on purpose.
struct Grant {
  static constexpr std::string_view kTypeName = "Grant";
  std::string principal;
  Access role = Access::none;
  /// Noderange of the nodes that may be changed under it; empty: no limit. With a limit nothing
  /// else of the cluster may be changed.
  std::string nodes = {};
  std::string why = {};  ///< free text for people
  bool operator==(const Grant&) const = default;
  void describe(Visitor& v);
};

/// invalid_argument when a pattern fits no kind of principal, holds bytes that no principal's text
/// has, or the noderange has a mistake.
Status check_grant(const Grant& grant);

/// What one principal may do, and where that comes from.
struct Standing {
  Access access = Access::none;
  /// Noderanges; a node may be changed when it is within all of them. Empty: every node.
  std::vector<std::string> limits = {};
  std::string source = {};  ///< "the default", "grant 2: user:alice", "credential"
};

/// The rules in force. Immutable; any thread.
///
/// Defaults: on a master's own socket root and the daemon's user are admin; on an aggregator's,
/// utility's or boot's socket root is operator; other local users and everybody on a compute are
/// viewers; a person has the role in the certificate, a bearer of a credential the credential's, a
/// caller known to a trusted issuer the role that its claims are mapped to; a daemon reads, and
/// renews itself; anonymous is nobody. Root and the daemon's user on a master's own socket stay
/// admin whatever the grants say: they own the database, and somebody must be able to mend grants.
class Policy {
 public:
  Policy() = default;
  /// The first grant that fits decides. A principal's own limit (a credential's) holds beside the
  /// grant's.
  explicit Policy(std::vector<Grant> grants) : grants_(std::move(grants)) {}

  [[nodiscard]] Standing standing_of(const Principal& principal) const;
  [[nodiscard]] Access access_of(const Principal& principal) const {
    return standing_of(principal).access;
  }
  [[nodiscard]] const std::vector<Grant>& grants() const { return grants_; }

  /// Ok, or who was refused what, which role they have and which is needed: denied, or
  /// unauthenticated for anonymous. `what` is the request in words, e.g. "POST /api/v1/tokens".
  [[nodiscard]] Status authorize(const Principal& principal, Privilege needed,
                                 std::string_view what) const;

 private:
  std::vector<Grant> grants_;
};

}  // namespace drover::auth
