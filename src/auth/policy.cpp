#include "auth/policy.hpp"

#include "auth/pattern.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "store/reason.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "viewer", "user", "operator", "admin"};
constexpr std::array<std::string_view, 5> kMeanings = {
    "Nothing but the version and what a join token allows.",
    "Reads everything but tokens, credentials, grants, issuers and the audit.",
    "Reads, and changes or calls those nodes whose owner, group and mode allow it.",
    "Changes nodes, groups and profiles; calls; operations.",
    "Everything: tokens, credentials, grants, issuers, revocation, settings, the audit.",
};
constexpr std::string_view kUser = "user:";

bool fits(const Grant& grant, const Principal& principal) {
  const std::string& pattern = grant.principal;
  const std::string text = principal.text();
  const bool short_form = pattern.starts_with(kUser) && pattern.find('@') == std::string::npos;
  if (!short_form) return fits_pattern(pattern, text);
  if (principal.kind != PrincipalKind::local_user || principal.role == "compute") return false;
  return fits_pattern(pattern, std::string_view(text).substr(0, text.find('@')));
}

Access local_access(const Principal& user) {
  if (user.role == "master" || user.role == "compute") return Access::viewer;
  return user.uid == 0 ? Access::operator_ : Access::viewer;
}

tl::unexpected<Error> refuse(const Principal& principal, std::string_view what, Access has,
                             Access needs) {
  if (principal.kind == PrincipalKind::anonymous) {
    return fail(Code::unauthenticated,
                fmt::format("{} needs role {} and the caller showed no certificate and no token",
                            what, name(needs)),
                "use the local socket of a daemon, or a token (drover credential create) with "
                "--token-file");
  }
  return fail(Code::denied,
              fmt::format("{} may not {}: it needs role {}, the role here is {}",
                          printable(principal.text()), what, name(needs), name(has)),
              needs == Access::admin ? "run it as root on a master, or ask for a grant"
                                     : "run it as root on a server, or ask for a grant");
}

}  // namespace

std::span<const std::string_view> enum_names(Access) {
  return kNames;
}

std::string_view name(Access access) {
  return kNames.at(static_cast<size_t>(access));
}

std::string_view meaning(Access access) {
  return kMeanings.at(static_cast<size_t>(access));
}

Access access_from_name(std::string_view text) {
  return enum_from_name<Access>(text).value_or(Access::none);
}

Access needed_access(Privilege privilege) {
  switch (privilege) {
    case Privilege::open:
      return Access::none;
    case Privilege::view:
      return Access::viewer;
    case Privilege::use:
      return Access::user;
    case Privilege::operate:
      return Access::operator_;
    case Privilege::self:
    case Privilege::boot:
    case Privilege::administer:
      break;
  }
  return Access::admin;
}

void Grant::describe(Visitor& v) {
  v.field("principal", principal,
          "Whom it is for: user:NAME, user:NAME@ROLE/DAEMON, person:NAME, credential:NAME, "
          "oidc:ISSUER/NAME or daemon:ROLE/NAME; * stands for any text.");
  v.field("role", role, "What they may do.");
  v.field("nodes", nodes, "Noderange of the nodes that they may change; empty: no limit.",
          Presence::optional);
  v.field("why", why, "Free text for people.", Presence::optional);
}

Status check_grant(const Grant& grant) {
  constexpr std::array<std::string_view, 5> kKinds = {kUser,
                                                      "daemon:", "person:", "credential:", "oidc:"};
  constexpr size_t kLongest = 512;
  const auto refused = [&grant](std::string_view why) {
    return fail(Code::invalid_argument,
                fmt::format("the grant for '{}': {}",
                            printable(std::string_view(grant.principal).substr(0, kLongest)), why));
  };
  const bool known = std::ranges::any_of(kKinds, [&grant](std::string_view kind) {
    return grant.principal.starts_with(kind) && grant.principal.size() > kind.size();
  });
  if (!known) {
    return refused(
        "it fits nobody; begin with user:, person:, credential:, oidc: or daemon: and a name");
  }
  const bool visible = std::ranges::all_of(
      grant.principal, [](char c) { return c > ' ' && static_cast<unsigned char>(c) < 0x7F; });
  if (!visible || grant.principal.size() > kLongest) {
    return refused("a pattern has at most 512 visible ASCII characters");
  }
  if (const Status fits = store::check_why(grant.why); !fits) return refused(fits.error().message);
  if (grant.nodes.empty()) return {};
  if (const auto mistake = find_mistake(grant.nodes); mistake) {
    return refused(fmt::format("nodes, column {}: {}", mistake->offset + 1, mistake->what));
  }
  return {};
}

Standing Policy::standing_of(const Principal& principal) const {
  if (principal.kind == PrincipalKind::anonymous) return {};
  const bool owns_the_master = principal.kind == PrincipalKind::local_user &&
                               principal.role == "master" &&
                               (principal.uid == 0 || principal.owns_daemon);
  if (owns_the_master) return {Access::admin, {}, "the owner of the master"};
  Standing out{Access::none, {}, "the default"};
  if (!principal.nodes.empty()) out.limits.push_back(principal.nodes);
  for (size_t i = 0; i < grants_.size(); ++i) {
    if (!fits(grants_[i], principal)) continue;
    out.access = grants_[i].role;
    out.source = fmt::format("grant {}: {}", i + 1, grants_[i].principal);
    if (!grants_[i].nodes.empty()) out.limits.push_back(grants_[i].nodes);
    return out;
  }
  switch (principal.kind) {
    case PrincipalKind::local_user:
      out.access = local_access(principal);
      break;
    case PrincipalKind::daemon:
      out.access = Access::viewer;
      break;
    case PrincipalKind::person:
      out.access = access_from_name(principal.role);
      out.source = "the certificate";
      break;
    case PrincipalKind::credential:
      out.access = access_from_name(principal.role);
      out.source = "the credential";
      break;
    case PrincipalKind::external:
      out.access = access_from_name(principal.role);
      out.source = "the issuer's mapping";
      break;
    case PrincipalKind::anonymous:
      break;
  }
  return out;
}

Status Policy::authorize(const Principal& principal, Privilege needed,
                         std::string_view what) const {
  if (needed == Privilege::self) {
    if (principal.kind == PrincipalKind::daemon) return {};
    return fail(principal.kind == PrincipalKind::anonymous ? Code::unauthenticated : Code::denied,
                fmt::format("{} may not {}: only a daemon may, for itself",
                            printable(principal.text()), what));
  }
  if (needed == Privilege::boot) {
    if (principal.kind == PrincipalKind::daemon && principal.role == "boot") return {};
    return fail(
        principal.kind == PrincipalKind::anonymous ? Code::unauthenticated : Code::denied,
        fmt::format("{} may not {}: only a boot daemon may", printable(principal.text()), what));
  }
  const Access needs = needed_access(needed);
  const Access has = access_of(principal);
  if (has >= needs) return {};
  return refuse(principal, what, has, needs);
}

}  // namespace drover::auth
