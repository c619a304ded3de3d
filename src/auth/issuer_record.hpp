// An OIDC issuer that the cluster trusts, as configured: whose tokens, checked with which keys, and
// what their claims allow here.
#pragma once

#include "auth/policy.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace drover::auth {

/// Store kind of issuers; the key is their short name.
inline constexpr std::string_view kIssuerKind = "issuer";
inline constexpr size_t kMostIssuers = 32;

struct IssuerRecord {
  static constexpr std::string_view kTypeName = "Issuer";
  std::string name;      ///< short: 1 to 32 lower-case letters, digits, '-'
  std::string url;       ///< exactly the claim iss: https://..
  std::string audience;  ///< must be in the claim aud; usually the client's id there
  std::string jwks_url;  ///< where its keys are fetched; or:
  RawJson jwks;          ///< its keys as a JWKS document, null with jwks_url
  std::string ca_pem;    ///< CAs that its server is checked against; empty: the system's
  std::string name_claim = "sub";
  std::string groups_claim;             ///< for the permissions of nodes; empty: none
  std::string role_claim;               ///< its values are looked up in `roles`
  std::map<std::string, Access> roles;  ///< value of the claim to role; the highest counts
  Access default_role = Access::none;   ///< of callers with none of these
  std::string nodes;                    ///< noderange that limits all of its callers
  bool operator==(const IssuerRecord&) const = default;
  void describe(Visitor& v);
};

/// invalid_argument names the field, its value and the rule.
Status check_issuer(const IssuerRecord& issuer);

}  // namespace drover::auth
