#include "auth/principal.hpp"

#include "auth/policy.hpp"

#include <fmt/core.h>

namespace drover::auth {
namespace {

/// The name as one word: whoever says it might be hostile, and a name such as "root@master/m1" must
/// not read as another principal.
std::string word(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-' || c == '$';
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// Without a name "#uid", as sudo writes it.
std::string user_word(const Principal& principal) {
  return principal.user.empty() ? fmt::format("#{}", principal.uid) : word(principal.user);
}

}  // namespace

std::string Principal::text() const {
  switch (kind) {
    case PrincipalKind::anonymous:
      return "anonymous";
    case PrincipalKind::local_user:
      return fmt::format("user:{}@{}/{}", user_word(*this), role, name);
    case PrincipalKind::daemon:
      return fmt::format("daemon:{}/{}", role, name);
    case PrincipalKind::person:
      return fmt::format("person:{}", name);
    case PrincipalKind::credential:
      return fmt::format("credential:{}", word(name));
    case PrincipalKind::external:
      return fmt::format("oidc:{}/{}", word(issuer), word(name));
  }
  return "anonymous";
}

std::string Principal::account() const {
  const bool local = kind == PrincipalKind::local_user;
  if (local && role == "compute") return {};
  if (kind == PrincipalKind::daemon || kind == PrincipalKind::anonymous) return {};
  const std::string& text = local ? user : name;
  const bool may_be_root = local && uid == 0;
  return text == "root" && !may_be_root ? std::string() : text;
}

Principal local_principal(const net::LocalCaller& caller, std::string_view user, uint32_t own_uid,
                          tree::Role daemon_role, std::string_view daemon_name) {
  Principal out;
  out.kind = PrincipalKind::local_user;
  out.uid = caller.uid;
  out.gid = caller.gid;
  out.user = user;
  out.owns_daemon = caller.uid == own_uid;
  out.role = tree::name(daemon_role);
  out.name = daemon_name;
  return out;
}

Result<Principal> certificate_principal(std::string_view uri, std::string_view cluster) {
  Principal out;
  if (uri.empty()) return out;
  auto identity = tree::parse_certificate_uri(uri);
  if (!identity) return fail(Code::unauthenticated, identity.error().text());
  if (identity->cluster != cluster) {
    return fail(Code::unauthenticated,
                fmt::format("'{}' is of another cluster, this is '{}'", uri, cluster));
  }
  const bool is_daemon = tree::role_from_name(identity->role).has_value();
  if (!is_daemon && access_from_name(identity->role) == Access::none) {
    return fail(Code::unauthenticated,
                fmt::format("'{}' names neither a daemon's role nor a person's", uri));
  }
  out.kind = is_daemon ? PrincipalKind::daemon : PrincipalKind::person;
  out.role = std::move(identity->role);
  out.name = std::move(identity->name);
  return out;
}

Result<Principal> asserted_principal(const Assertion& assertion, std::string_view cluster) {
  DROVER_TRY(Principal out, certificate_principal(assertion.daemon_uri, cluster));
  if (out.kind != PrincipalKind::daemon) {
    return fail(Code::unauthenticated, fmt::format("'{}' is no daemon and cannot vouch for callers",
                                                   assertion.daemon_uri));
  }
  out.key_sha256 = assertion.daemon_key_sha256;
  out.expires = assertion.daemon_expires;
  if (assertion.claim.daemon_itself) return out;
  out.kind = PrincipalKind::local_user;
  out.uid = assertion.claim.uid;
  out.gid = assertion.claim.gid;
  out.user = assertion.claim.user;
  return out;
}

}  // namespace drover::auth
