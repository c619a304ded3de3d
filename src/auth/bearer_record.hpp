// What the store keeps about the credentials of people and programs: never their secret.
#pragma once

#include "auth/policy.hpp"
#include "base/clock.hpp"
#include "base/describe.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// Store kind of credentials; the key is their id.
inline constexpr std::string_view kBearerKind = "bearer";

enum class BearerForm : uint8_t {
  token,        ///< a bearer token
  certificate,  ///< a person's certificate
};
std::span<const std::string_view> enum_names(BearerForm);

struct BearerRecord {
  static constexpr std::string_view kTypeName = "StoredCredential";
  std::string id;    ///< 16 hex digits; a token's jti
  std::string name;  ///< whom it speaks for; several credentials may have one
  BearerForm form = BearerForm::token;
  Access role = Access::viewer;
  std::string nodes;                ///< noderange; empty: no limit
  std::vector<std::string> groups;  ///< for the permissions of nodes
  std::string key_sha256;           ///< certificate: its key's digest
  std::string serial;               ///< certificate: its serial number
  WallTime created{};
  std::string created_by;
  WallTime expires{};
  bool revoked = false;
  WallTime revoked_at{};
  std::string revoked_by;
  std::string why;  ///< of the revocation
  bool operator==(const BearerRecord&) const = default;
  void describe(Visitor& v);
};

}  // namespace drover::auth
