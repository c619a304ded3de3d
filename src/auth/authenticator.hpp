// Who asks: from a request's transport, or from what the forwarding daemon vouches for.
#pragma once

#include "auth/assertion.hpp"
#include "auth/principal.hpp"
#include "base/callback.hpp"
#include "net/http/http.hpp"

#include <string>

namespace drover::auth {

/// Executor's thread only.
class Authenticator {
 public:
  struct Config {
    std::string cluster;
    tree::Role role = tree::Role::master;  ///< of the answering daemon
    std::string name;
    uint32_t own_uid = 0;
    /// Login name behind a uid, empty when it has none.
    Callback<std::string(uint32_t uid)> user_name;
    /// Whether a daemon whose proof holds may still take part (Enrolment::check_daemon): asked for
    /// daemons and for the callers that they vouch for. `key` may be empty. Empty: all may.
    Callback<Status(const std::string& role, const std::string& name, const std::string& key)>
        check_daemon = {};
  };
  /// `verifier` outlives this object.
  Authenticator(Config config, AssertionVerifier& verifier);

  /// A forwarded request's asserted caller; else the process behind the Unix socket; else the
  /// certificate's holder; else anonymous. unauthenticated when a proof does not hold; what
  /// check_daemon says when it does but the daemon is not wanted any more.
  [[nodiscard]] Result<Principal> identify(const net::HttpRequest& request);

 private:
  [[nodiscard]] Result<Principal> remote(const net::HttpRequest& request);

  Config config_;
  AssertionVerifier& verifier_;
};

}  // namespace drover::auth
