#include "auth/authenticator.hpp"

#include "auth/caller_header.hpp"

namespace drover::auth {

Authenticator::Authenticator(Config config, AssertionVerifier& verifier)
    : config_(std::move(config)), verifier_(verifier) {}

Result<Principal> Authenticator::identify(const net::HttpRequest& request) {
  if (request.peer.local) {
    const net::LocalCaller& caller = *request.peer.local;
    return local_principal(caller, config_.user_name(caller.uid), config_.own_uid, config_.role,
                           config_.name);
  }
  DROVER_TRY(Principal principal, remote(request));
  const bool through_daemon =
      principal.kind == PrincipalKind::daemon || principal.kind == PrincipalKind::local_user;
  if (through_daemon && config_.check_daemon) {
    DROVER_CHECK_OK(config_.check_daemon(principal.role, principal.name, principal.key_sha256));
  }
  return principal;
}

Result<Principal> Authenticator::remote(const net::HttpRequest& request) {
  if (const auto header = request.headers.get(kCallerHeader); header) {
    auto vouched = parse_caller_header(*header);
    if (!vouched) return fail(Code::unauthenticated, vouched.error().text());
    DROVER_TRY(
        const Assertion assertion,
        verifier_.verify(*vouched, request_hash(request.method, request.target, request.body)));
    return asserted_principal(assertion, config_.cluster);
  }
  return certificate_principal(request.peer.certificate_uri, config_.cluster);
}

}  // namespace drover::auth
