// Who may do what. Pure: a principal and the grants in, a role or a refusal in words out.
#pragma once

#include "auth/principal.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// What a principal is trusted with; each includes those before it.
enum class Access { none, viewer, operator_, admin };
std::string_view name(Access access);
/// Access::none for a text that is not viewer, operator or admin.
Access access_from_name(std::string_view text);

/// What a request demands.
enum class Privilege {
  open,       ///< nothing: join (it brings its own token) and version
  self,       ///< to be a daemon, acting on itself: renewal
  view,       ///< viewer: every read
  operate,    ///< operator: changes to nodes, calls, operations
  administer  ///< admin: tokens, grants, settings of the cluster
};

/// Gives a role to whoever fits a pattern, in place of what the defaults below say; also a lower
/// one. Patterns are a Principal's text with `*` for any run of bytes. For local users the daemon
/// may be left out: "user:alice" is alice on every host but the computes, where root is not ours
/// and could pretend to be her; "user:alice@compute/n1" says so on purpose.
struct Grant {
  std::string principal;
  Access role = Access::none;
};

/// invalid_argument when a pattern fits no kind of principal.
Status check_grant(const Grant& grant);

/// The rules in force. Immutable; any thread.
///
/// Defaults: on a master's own socket root and the daemon's user are admin; on an aggregator's,
/// utility's or boot's socket root is operator; other local users and everybody on a compute are
/// viewers; a person has the role in the certificate; a daemon reads, and renews itself; anonymous
/// is nobody.
class Policy {
 public:
  Policy() = default;
  /// The first grant that fits decides.
  explicit Policy(std::vector<Grant> grants) : grants_(std::move(grants)) {}

  [[nodiscard]] Access access_of(const Principal& principal) const;

  /// Ok, or who was refused what, which role they have and which is needed: denied, or
  /// unauthenticated for anonymous. `what` is the request in words, e.g. "POST /api/v1/tokens".
  [[nodiscard]] Status authorize(const Principal& principal, Privilege needed,
                                 std::string_view what) const;

 private:
  std::vector<Grant> grants_;
};

}  // namespace drover::auth
