// Who a daemon says it is, who its certificate says it is, and whether the two may talk. Pure.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::proto {
class Hello;
}

namespace drover::tree {

enum class Role { master, aggregator, utility, compute, boot };
std::string_view name(Role role);
Result<Role> role_from_name(std::string_view text);

/// How a daemon introduces itself in the hello.
struct Introduction {
  std::string cluster;
  Role role = Role::compute;
  std::string name;
  uint64_t incarnation = 0;  ///< start time, Unix ms
  uint64_t starts = 0;       ///< how often it has started on this host
  std::string boot_id;
  uint32_t protocol_min = 0;
  uint32_t protocol_max = 0;
  uint64_t features = 0;
  std::string version;
  uint64_t path_epoch = 0;
  std::vector<std::string> listens;
};

/// What this end demands of the other.
struct LinkExpectation {
  std::vector<Role> roles;  ///< any of these
  std::string name;         ///< exactly this one; empty: any
};

/// The certificate identity "drover://CLUSTER/ROLE/NAME" (URI SAN).
struct CertificateName {
  std::string cluster;
  std::string role;
  std::string name;
};
std::string certificate_uri(std::string_view cluster, std::string_view role, std::string_view name);
Result<CertificateName> parse_certificate_uri(std::string_view uri);

/// The agreed terms of a link.
struct Terms {
  uint32_t protocol = 0;
  uint64_t features = 0;
};

/// Checks the peer's hello against its certificate, our cluster and what we expect. Errors say
/// which of cluster, role, name or version does not fit, with both values.
Result<Terms> agree(const Introduction& self, const Introduction& peer,
                    std::string_view peer_certificate_uri, const LinkExpectation& expectation);

void encode(const Introduction& from, proto::Hello& to);
Result<Introduction> decode(const proto::Hello& from);

}  // namespace drover::tree
