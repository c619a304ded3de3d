#include "auth/authenticator.hpp"

#include "auth/caller_header.hpp"
#include "base/text.hpp"

#include <utility>

#include <fmt/core.h>

namespace drover::auth {

Authenticator::Authenticator(Config config, AssertionVerifier& verifier)
    : config_(std::move(config)), verifier_(verifier) {}

Result<std::optional<std::string>> bearer_of(const net::HttpRequest& request) {
  const auto header = request.headers.get("Authorization");
  if (!header) return std::optional<std::string>();
  constexpr std::string_view kScheme = "Bearer ";
  const bool bearer = header->size() > kScheme.size() &&
                      net::equal_ignoring_case(header->substr(0, kScheme.size()), kScheme);
  if (!bearer) {
    return fail(Code::unauthenticated,
                "the header Authorization is of another scheme than Bearer, or without a token");
  }
  return std::optional(std::string(header->substr(kScheme.size())));
}

void Authenticator::identify(net::HttpRequest& request, Callback<void(Result<Principal>)> done) {
  const auto token = bearer_of(request);
  // Nobody further on needs the secret.
  request.headers.erase("Authorization");
  if (!token) return done(tl::unexpected<Error>(token.error()));
  if (!*token) return done(identify(std::as_const(request)));
  if (!config_.bearer || request.headers.has(kCallerHeader)) {
    return done(fail(Code::unauthenticated,
                     "a bearer token is taken by a master alone, over HTTPS or its own socket",
                     "drover --server https://MASTER:PORT --token-file FILE .."));
  }
  config_.bearer(**token, std::move(done));
}

Result<Principal> Authenticator::person(Principal shown) {
  Result<std::optional<Principal>> known = std::optional<Principal>();
  if (config_.check_person) known = config_.check_person(shown);
  if (!known) return tl::unexpected<Error>(known.error());
  if (*known) return **known;
  return fail(Code::unauthenticated,
              fmt::format("the certificate of {} is not on record here: it was made before the "
                          "back-up that this master was restored from, or ended long ago",
                          printable(shown.text())),
              "make a new one: drover credential create --certificate");
}

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
    DROVER_CHECK_OK(config_.check_daemon(principal));
  }
  if (principal.kind == PrincipalKind::person) return person(std::move(principal));
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
  DROVER_TRY(Principal out, certificate_principal(request.peer.certificate_uri, config_.cluster));
  out.key_sha256 = request.peer.certificate_key_sha256;
  out.expires = request.peer.certificate_expiry.value_or(WallTime{});
  return out;
}

}  // namespace drover::auth
