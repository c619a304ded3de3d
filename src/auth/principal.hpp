// Who asks: the caller of a request, after the transport or an assertion has proven it. Pure.
#pragma once

#include "auth/assertion.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/net.hpp"
#include "tree/hello.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

enum class PrincipalKind {
  anonymous,   ///< TLS without a certificate
  local_user,  ///< a process behind a daemon's Unix socket
  daemon,      ///< a daemon's certificate, or a daemon that asks for itself
  person,      ///< a person's certificate: drover://CLUSTER/ROLE/NAME with one of the five roles
  credential,  ///< a bearer token that this cluster issued
  external,    ///< a bearer token of an issuer that this cluster trusts
};

struct Principal {
  PrincipalKind kind = PrincipalKind::anonymous;

  uint32_t uid = 0;          ///< local_user
  uint32_t gid = 0;          ///< local_user
  std::string user;          ///< local_user: name on the daemon's host, may be empty
  bool owns_daemon = false;  ///< local_user: has the uid that the answering daemon itself runs as

  std::string role;  ///< local_user, daemon: the daemon's; others: viewer, user, operator or admin
  std::string name;  ///< local_user, daemon: the daemon's; others: theirs
  std::string issuer = {};  ///< external: the issuer's short name
  /// credential: its id; external: the token's, when it has one
  std::string token_id = {};
  /// Noderange of the nodes that may be changed; empty: no limit of its own.
  std::string nodes = {};
  std::vector<std::string> groups = {};  ///< external: groups in the token, for nodes' permissions
  WallTime expires{};                    ///< when the token or certificate ends; zero: not known
  /// The key that the daemon proved itself with, where the way the request came says so; else
  /// empty.
  std::string key_sha256;

  /// Stable text for the change log, the audit and grants: "user:alice@utility/login1",
  /// "daemon:compute/n1", "person:bob", "credential:ci", "oidc:corp/carol", "anonymous". A user
  /// without a name is "#uid"; bytes of a name other than letters, digits and "._-$" are %XX.
  [[nodiscard]] std::string text() const;

  /// The account whose nodes are this principal's own (a node's owner); empty when there is none:
  /// daemons, users on computes (root is not ours there), and whoever but uid 0 calls itself root.
  [[nodiscard]] std::string account() const;
};

/// The process behind this daemon's own socket. `user` may be empty; `own_uid` is the daemon's.
Principal local_principal(const net::LocalCaller& caller, std::string_view user, uint32_t own_uid,
                          tree::Role daemon_role, std::string_view daemon_name);

/// The holder of a certificate that the transport has verified; anonymous when the URI is empty.
/// unauthenticated when it is of another cluster or names no role.
Result<Principal> certificate_principal(std::string_view uri, std::string_view cluster);

/// The caller that a verified assertion speaks of.
Result<Principal> asserted_principal(const Assertion& assertion, std::string_view cluster);

}  // namespace drover::auth
