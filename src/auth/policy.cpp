#include "auth/policy.hpp"

#include "base/text.hpp"

#include <array>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"none", "viewer", "operator", "admin"};
constexpr std::string_view kUser = "user:";

/// Whether `text` fits `pattern`, in which `*` stands for any run of bytes. Linear with one
/// restart point, so a hostile pattern cannot make it slow.
bool fits(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool fits(const Grant& grant, const Principal& principal) {
  const std::string& pattern = grant.principal;
  const std::string text = principal.text();
  const bool short_form = pattern.starts_with(kUser) && pattern.find('@') == std::string::npos;
  if (!short_form) return fits(pattern, text);
  if (principal.kind != PrincipalKind::local_user || principal.role == "compute") return false;
  return fits(pattern, std::string_view(text).substr(0, text.find('@')));
}

Access local_access(const Principal& user) {
  if (user.role == "master") {
    return user.uid == 0 || user.owns_daemon ? Access::admin : Access::viewer;
  }
  if (user.role == "compute") return Access::viewer;
  return user.uid == 0 ? Access::operator_ : Access::viewer;
}

Access needed_access(Privilege privilege) {
  switch (privilege) {
    case Privilege::open:
      return Access::none;
    case Privilege::view:
      return Access::viewer;
    case Privilege::operate:
      return Access::operator_;
    case Privilege::self:
    case Privilege::administer:
      break;
  }
  return Access::admin;
}

tl::unexpected<Error> refuse(const Principal& principal, std::string_view what, Access has,
                             Access needs) {
  if (principal.kind == PrincipalKind::anonymous) {
    return fail(
        Code::unauthenticated,
        fmt::format("{} needs role {} and the caller showed no certificate", what, name(needs)),
        "use the local socket of a daemon, or a certificate of this cluster");
  }
  return fail(Code::denied,
              fmt::format("{} may not {}: it needs role {}, the role here is {}",
                          printable(principal.text()), what, name(needs), name(has)),
              needs == Access::admin ? "run it as root on a master, or ask for a grant"
                                     : "run it as root on a server, or ask for a grant");
}

}  // namespace

std::string_view name(Access access) {
  return kNames.at(static_cast<size_t>(access));
}

Access access_from_name(std::string_view text) {
  for (size_t i = 1; i < kNames.size(); ++i) {
    if (kNames.at(i) == text) return static_cast<Access>(i);
  }
  return Access::none;
}

Status check_grant(const Grant& grant) {
  constexpr std::array<std::string_view, 3> kKinds = {kUser, "daemon:", "person:"};
  for (const std::string_view kind : kKinds) {
    if (grant.principal.starts_with(kind) && grant.principal.size() > kind.size()) return {};
  }
  return fail(Code::invalid_argument,
              fmt::format("'{}' fits nobody: a grant begins with user:, daemon: or person:",
                          printable(grant.principal)));
}

Access Policy::access_of(const Principal& principal) const {
  if (principal.kind == PrincipalKind::anonymous) return Access::none;
  for (const Grant& grant : grants_) {
    if (fits(grant, principal)) return grant.role;
  }
  switch (principal.kind) {
    case PrincipalKind::local_user:
      return local_access(principal);
    case PrincipalKind::daemon:
      return Access::viewer;
    case PrincipalKind::person:
      return access_from_name(principal.role);
    case PrincipalKind::anonymous:
      break;
  }
  return Access::none;
}

Status Policy::authorize(const Principal& principal, Privilege needed,
                         std::string_view what) const {
  if (needed == Privilege::self) {
    if (principal.kind == PrincipalKind::daemon) return {};
    return fail(principal.kind == PrincipalKind::anonymous ? Code::unauthenticated : Code::denied,
                fmt::format("{} may not {}: only a daemon may, for itself",
                            printable(principal.text()), what));
  }
  const Access needs = needed_access(needed);
  const Access has = access_of(principal);
  if (has >= needs) return {};
  return refuse(principal, what, has, needs);
}

}  // namespace drover::auth
