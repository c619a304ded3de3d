#include "auth/access_control.hpp"

#include <fmt/core.h>

namespace drover::auth {
namespace {

/// However a token is wrong, the caller is not known.
Result<Principal> unknown(const Error& error) {
  return fail(Code::unauthenticated, error.text(), error.next);
}

}  // namespace

AccessControl::AccessControl(Parts parts)
    : authority_(parts.authority),
      clock_(parts.clock),
      disk_(parts.disk),
      worker_(parts.worker),
      log_(parts.log),
      grants_(parts.store, parts.log.with("grants")),
      credentials_(parts.store, parts.authority, std::move(parts.keys), parts.clock, parts.random,
                   parts.log.with("credentials"), parts.cluster),
      issuers_(parts.store, parts.clock, parts.random, parts.log.with("issuers"),
               std::move(parts.fetch)) {}

Status AccessControl::start() {
  DROVER_CHECK_OK(grants_.start());
  DROVER_CHECK_OK(credentials_.start());
  return issuers_.start();
}

void AccessControl::rotate_keys(bool forget_old, Callback<void(Status)> done) {
  if (rotating_) {
    return done(fail(Code::conflict, "the signing keys are being rotated just now", "try again"));
  }
  rotating_ = true;
  auto rotated = std::make_shared<std::optional<Result<SigningKeys>>>();
  worker_.run([rotated, keys = credentials_.keys(), &disk = disk_, now = clock_.wall(),
               forget_old] { rotated->emplace(keys.rotated(disk, now, forget_old)); },
              [this, rotated, forget_old, done = std::move(done),
               alive = std::weak_ptr<bool>(alive_)]() mutable {
                if (alive.expired()) return;
                rotating_ = false;
                Result<SigningKeys>& keys = **rotated;
                if (!keys) return done(tl::unexpected<Error>(keys.error()));
                log_.notice("the keys that sign credentials were rotated",
                            {{"key", keys->current()}, {"old", forget_old ? "forgotten" : "kept"}});
                credentials_.use(*std::move(keys));
                done({});
              });
}

Status AccessControl::still_reads(const Principal& who, std::string_view what) const {
  const bool ours = who.kind == PrincipalKind::credential || who.kind == PrincipalKind::person;
  if (ours && !who.token_id.empty()) DROVER_CHECK_OK(credentials_.check(who.token_id));
  if (who.kind == PrincipalKind::external) {
    if (!issuers_.all().contains(who.issuer)) {
      return fail(Code::unauthenticated,
                  fmt::format("issuer '{}' is not trusted here any more", who.issuer));
    }
    if (clock_.wall() >= who.expires + kTokenSkew) {
      return fail(Code::unauthenticated,
                  fmt::format("the token expired at {}", to_rfc3339(who.expires)),
                  "get a new one from its issuer");
    }
  }
  return policy()->authorize(who, Privilege::view, what);
}

void AccessControl::authenticate(std::string_view bearer, Callback<void(Result<Principal>)> done) {
  auto jws = parse_jws(bearer);
  if (!jws) return done(unknown(jws.error()));
  auto claims = read_claims(jws->payload);
  if (!claims) return done(unknown(claims.error()));
  if (claims->issuer == credentials_.issuer()) {
    return done(credentials_.authenticate(*jws, *claims));
  }
  issuers_.authenticate(*std::move(jws), *std::move(claims), std::move(done));
}

}  // namespace drover::auth
