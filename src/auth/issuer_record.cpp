#include "auth/issuer_record.hpp"

#include "auth/certificate.hpp"
#include "auth/jwk.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr size_t kLongestName = 32;
constexpr size_t kLongestText = 512;
constexpr size_t kLongestCa = size_t{256} << 10;
constexpr size_t kMostRoles = 200;

tl::unexpected<Error> bad(std::string_view field, std::string_view value, std::string_view rule) {
  return fail(Code::invalid_argument,
              fmt::format("{}: '{}' {}", field, printable(value.substr(0, 80)), rule));
}

Status check_visible(std::string_view field, std::string_view text) {
  const bool visible = std::ranges::all_of(
      text, [](char c) { return c > ' ' && static_cast<unsigned char>(c) < 0x7F; });
  if (visible && !text.empty() && text.size() <= kLongestText) return {};
  return bad(field, text, "is not 1 to 512 visible ASCII characters");
}

Status check_url(std::string_view field, std::string_view text) {
  DROVER_CHECK_OK(check_visible(field, text));
  constexpr std::string_view kScheme = "https://";
  const bool has_host = text.size() > kScheme.size() && text[kScheme.size()] != '/';
  // No fragment, and no user: a secret in a URL ends up in logs.
  if (text.starts_with(kScheme) && has_host && text.find_first_of("#@") == std::string_view::npos) {
    return {};
  }
  return bad(field, text, "is not https://HOST[:PORT][/PATH]");
}

Status check_keys(const IssuerRecord& issuer) {
  const bool has_document = issuer.jwks.text != "null";
  if (has_document == !issuer.jwks_url.empty()) {
    return fail(Code::invalid_argument, "give either jwks (the keys) or jwks_url (where they are)");
  }
  if (!has_document) return check_url("jwks_url", issuer.jwks_url);
  auto keys = KeySet::parse(issuer.jwks.text);
  if (!keys) return fail_in("jwks", std::move(keys).error());
  return {};
}

}  // namespace

void IssuerRecord::describe(Visitor& v) {
  v.field("name", name, "Its short name: callers are oidc:NAME/USER.");
  v.field("url", url, "Exactly what its tokens name as iss.");
  v.field("audience", audience, "What its tokens must be for (aud): the client's id there.");
  v.field("jwks_url", jwks_url, "Where its keys are fetched; empty when they are given.",
          Presence::optional);
  v.field("jwks", jwks, "Its keys as a JWKS document; null when they are fetched.",
          Presence::optional);
  v.field("ca_pem", ca_pem, "CAs that its server is checked against; empty: the system's.",
          Presence::optional);
  v.field("name_claim", name_claim, "Claim that names the caller.", Presence::optional);
  v.field("groups_claim", groups_claim, "Claim with the caller's groups; empty: none.",
          Presence::optional);
  v.field("role_claim", role_claim, "Claim whose values are looked up in roles.",
          Presence::optional);
  v.field("roles", roles, "Value of that claim to role; the highest one counts.",
          Presence::optional);
  v.field("default_role", default_role, "Role of callers with none of these.", Presence::optional);
  v.field("nodes", nodes, "Noderange of the nodes that its callers may change; empty: no limit.",
          Presence::optional);
}

Status check_issuer(const IssuerRecord& issuer) {
  const bool plain = std::ranges::all_of(issuer.name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (issuer.name.empty() || issuer.name.size() > kLongestName || !plain) {
    return bad("name", issuer.name, "is not 1 to 32 lower-case letters, digits, '-'");
  }
  DROVER_CHECK_OK(check_url("url", issuer.url));
  DROVER_CHECK_OK(check_visible("audience", issuer.audience));
  DROVER_CHECK_OK(check_keys(issuer));
  DROVER_CHECK_OK(check_visible("name_claim", issuer.name_claim));
  if (!issuer.groups_claim.empty()) {
    DROVER_CHECK_OK(check_visible("groups_claim", issuer.groups_claim));
  }
  if (!issuer.role_claim.empty()) DROVER_CHECK_OK(check_visible("role_claim", issuer.role_claim));
  if (issuer.roles.size() > kMostRoles) return fail(Code::too_large, "roles: more than 200");
  if (!issuer.roles.empty() && issuer.role_claim.empty()) {
    return fail(Code::invalid_argument, "role_claim: is missing; roles are looked up in it");
  }
  if (const auto mistake = issuer.nodes.empty() ? std::nullopt : find_mistake(issuer.nodes)) {
    return bad("nodes", issuer.nodes,
               fmt::format("column {}: {}", mistake->offset + 1, mistake->what));
  }
  if (issuer.ca_pem.empty()) return {};
  if (issuer.ca_pem.size() > kLongestCa) return fail(Code::too_large, "ca_pem: over 256 KiB");
  if (issuer.ca_pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return fail(Code::invalid_argument, "ca_pem: is no certificate in PEM");
  }
  return {};
}

}  // namespace drover::auth
