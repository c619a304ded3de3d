// What the store keeps about join tokens and about the daemons that were let in.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// Store kind of join tokens; the key is the token's id.
inline constexpr std::string_view kTokenKind = "join_token";
/// Store kind of daemons' credentials; the key is credential_key().
inline constexpr std::string_view kCredentialKind = "credential";

/// A join token without its secret.
struct TokenRecord {
  static constexpr std::string_view kTypeName = "JoinTokenRecord";
  std::string id;
  std::string secret_sha256;  ///< of the secret's text, 64 hex digits
  std::string role;           ///< a tree::Role's name
  std::string names;          ///< noderange of plain names that may use it; empty: any
  bool replace = false;       ///< may give a name to another key than the one that holds it
  uint32_t uses = 1;          ///< how many daemons it lets in
  uint32_t uses_left = 1;
  WallTime expires{};
  std::string created_by;  ///< a Principal's text
  WallTime created{};
  bool operator==(const TokenRecord&) const = default;
  void describe(Visitor& v);
};

/// A key that the daemon of a name held before another host took the name over: whoever still has
/// it is refused until its certificate has ended.
struct RetiredKey {
  static constexpr std::string_view kTypeName = "RetiredKey";
  std::string key_sha256;
  WallTime expires{};  ///< of its last certificate
  bool operator==(const RetiredKey&) const = default;
  void describe(Visitor& v);
};

/// The one certificate that a daemon holds now.
struct Credential {
  static constexpr std::string_view kTypeName = "DaemonCertificate";
  std::string role;
  std::string name;
  std::string key_sha256;  ///< PublicKey::sha256()
  /// The key before the last renewal: the daemon still proves itself with it when the answer to
  /// that renewal was lost. Empty after an enrolment.
  std::string previous_key_sha256;
  std::string serial;  ///< of the certificate, hex
  WallTime expires{};
  WallTime enrolled{};
  WallTime renewed{};  ///< zero: never yet
  std::string token;   ///< id of the token that let it in; empty: the first master
  bool revoked = false;
  WallTime revoked_at{};
  std::string revoked_by;
  std::string why;  ///< of the revocation
  std::vector<RetiredKey> retired = {};
  bool operator==(const Credential&) const = default;
  void describe(Visitor& v);
};

/// What a daemon proved itself with.
struct ProvenKey {
  std::string sha256;     ///< empty: the transport does not say
  WallTime expires = {};  ///< of its certificate, which the transport has verified
};

/// "compute/n1".
std::string credential_key(std::string_view role, std::string_view name);

}  // namespace drover::auth
