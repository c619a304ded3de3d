// Who asks: from a request's transport, or from what the forwarding daemon vouches for.
#pragma once

#include "auth/assertion.hpp"
#include "auth/principal.hpp"
#include "base/callback.hpp"
#include "net/http/http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::auth {

/// The bearer token of a request (RFC 6750 section 2.1); nothing without the header.
/// unauthenticated for another scheme.
Result<std::optional<std::string>> bearer_of(const net::HttpRequest& request);

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
    /// daemons and for the callers that they vouch for. Role, name, key_sha256 and expires are the
    /// daemon's; the last two may be empty. Empty: all may.
    Callback<Status(const Principal& daemon)> check_daemon = {};
    /// Who shows a bearer token; answers once, at once or later. Empty: none are taken.
    Callback<void(std::string_view bearer, Callback<void(Result<Principal>)> done)> bearer = {};
    /// The credential behind a person's certificate, found by its key; nothing when it is not one
    /// that was issued here. Empty: persons are refused.
    Callback<Result<std::optional<Principal>>(const Principal& person)> check_person = {};
  };
  /// `verifier` outlives this object.
  Authenticator(Config config, AssertionVerifier& verifier);

  /// The bearer of a token in the header Authorization, which then leaves `request`; else a
  /// forwarded request's asserted caller; else the process behind the Unix socket; else the
  /// certificate's holder; else anonymous. unauthenticated when a proof does not hold (whatever
  /// else would) or a token came over another daemon's socket; what check_daemon says when the
  /// proof holds but the daemon is not wanted any more. `done` runs once, at once unless an
  /// issuer's keys must be fetched.
  void identify(net::HttpRequest& request, Callback<void(Result<Principal>)> done);
  /// The same without bearer tokens.
  [[nodiscard]] Result<Principal> identify(const net::HttpRequest& request);

 private:
  [[nodiscard]] Result<Principal> person(Principal shown);
  [[nodiscard]] Result<Principal> remote(const net::HttpRequest& request);

  Config config_;
  AssertionVerifier& verifier_;
};

}  // namespace drover::auth
