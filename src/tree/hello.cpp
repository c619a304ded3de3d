#include "tree/hello.hpp"

#include "proto/link.pb.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::tree {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{
    {Role::master, "master"},
    {Role::aggregator, "aggregator"},
    {Role::utility, "utility"},
    {Role::compute, "compute"},
    {Role::boot, "boot"},
}};

constexpr std::string_view kScheme = "drover://";

std::string list_roles(const std::vector<Role>& roles) {
  std::string out;
  for (const Role role : roles) {
    if (!out.empty()) out += " or ";
    out += name(role);
  }
  return out;
}

Status check_certificate(const Introduction& peer, std::string_view uri) {
  if (uri.empty()) {
    return fail(Code::unauthenticated, "the peer showed no certificate",
                "drover join, on the peer's host");
  }
  auto certificate = parse_certificate_uri(uri);
  if (!certificate) return fail_in("the peer's certificate", certificate.error());
  if (certificate->cluster != peer.cluster) {
    return fail(Code::denied, fmt::format("hello says cluster {}, its certificate says {}",
                                          peer.cluster, certificate->cluster));
  }
  if (certificate->role != name(peer.role)) {
    return fail(Code::denied, fmt::format("hello says role {}, its certificate says {}",
                                          name(peer.role), certificate->role));
  }
  if (certificate->name != peer.name) {
    return fail(Code::denied, fmt::format("hello says name {}, its certificate says {}", peer.name,
                                          certificate->name));
  }
  return {};
}

}  // namespace

std::string_view name(Role role) {
  for (const auto& [value, text] : kRoles) {
    if (value == role) return text;
  }
  return "unknown";
}

Result<Role> role_from_name(std::string_view text) {
  for (const auto& [value, known] : kRoles) {
    if (known == text) return value;
  }
  return fail(
      Code::invalid_argument,
      fmt::format("unknown role '{}': one of master, aggregator, utility, compute, boot", text));
}

std::string certificate_uri(std::string_view cluster, std::string_view role,
                            std::string_view name) {
  return fmt::format("{}{}/{}/{}", kScheme, cluster, role, name);
}

Result<CertificateName> parse_certificate_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) {
    return fail(Code::invalid_argument, fmt::format("'{}' is not a drover:// identity", uri));
  }
  const std::string_view rest = uri.substr(kScheme.size());
  const size_t first = rest.find('/');
  const size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  if (second == std::string_view::npos || rest.find('/', second + 1) != std::string_view::npos) {
    return fail(Code::invalid_argument,
                fmt::format("'{}' is not of the form drover://CLUSTER/ROLE/NAME", uri));
  }
  CertificateName out{std::string(rest.substr(0, first)),
                      std::string(rest.substr(first + 1, second - first - 1)),
                      std::string(rest.substr(second + 1))};
  if (out.cluster.empty() || out.role.empty() || out.name.empty()) {
    return fail(Code::invalid_argument, fmt::format("'{}' has an empty part", uri));
  }
  return out;
}

Result<Terms> agree(const Introduction& self, const Introduction& peer,
                    std::string_view peer_certificate_uri, const LinkExpectation& expectation) {
  DROVER_CHECK_OK(check_certificate(peer, peer_certificate_uri));
  if (peer.cluster != self.cluster) {
    return fail(Code::denied,
                fmt::format("the peer is of cluster {}, this is {}", peer.cluster, self.cluster));
  }
  if (std::find(expectation.roles.begin(), expectation.roles.end(), peer.role) ==
      expectation.roles.end()) {
    return fail(Code::denied, fmt::format("the peer is a {}, expected {}", name(peer.role),
                                          list_roles(expectation.roles)));
  }
  if (!expectation.name.empty() && expectation.name != peer.name) {
    return fail(Code::denied,
                fmt::format("the peer is named {}, expected {}", peer.name, expectation.name));
  }
  const uint32_t highest = std::min(self.protocol_max, peer.protocol_max);
  if (highest < std::max(self.protocol_min, peer.protocol_min)) {
    return fail(
        Code::unsupported,
        fmt::format("no common protocol version: the peer ({}) speaks {} to {}, this ({}) {} to {}",
                    peer.version, peer.protocol_min, peer.protocol_max, self.version,
                    self.protocol_min, self.protocol_max),
        "upgrade the older of the two");
  }
  return Terms{highest, self.features & peer.features};
}

void encode(const Introduction& from, proto::Hello& to) {
  to.set_cluster(from.cluster);
  to.set_role(std::string(name(from.role)));
  to.set_name(from.name);
  to.set_incarnation(from.incarnation);
  to.set_starts(from.starts);
  to.set_boot_id(from.boot_id);
  to.set_protocol_min(from.protocol_min);
  to.set_protocol_max(from.protocol_max);
  to.set_features(from.features);
  to.set_version(from.version);
  to.set_path_epoch(from.path_epoch);
  for (const std::string& endpoint : from.listens) to.add_listens(endpoint);
}

Result<Introduction> decode(const proto::Hello& from) {
  constexpr size_t kMaxText = 253;  // a DNS name, the longest of these (RFC 1035 section 2.3.4)
  for (const std::string* text :
       {&from.cluster(), &from.name(), &from.boot_id(), &from.version()}) {
    if (text->size() > kMaxText) return fail(Code::too_large, "a hello with a text over 253 bytes");
  }
  if (from.cluster().empty() || from.name().empty()) {
    return fail(Code::invalid_argument, "a hello without cluster or name");
  }
  if (from.protocol_min() == 0 || from.protocol_min() > from.protocol_max()) {
    return fail(Code::invalid_argument, fmt::format("a hello with protocol range {} to {}",
                                                    from.protocol_min(), from.protocol_max()));
  }
  if (from.listens_size() > 16) return fail(Code::too_large, "a hello with over 16 endpoints");
  DROVER_TRY(const Role role, role_from_name(from.role()));
  Introduction out;
  out.cluster = from.cluster();
  out.role = role;
  out.name = from.name();
  out.incarnation = from.incarnation();
  out.starts = from.starts();
  out.boot_id = from.boot_id();
  out.protocol_min = from.protocol_min();
  out.protocol_max = from.protocol_max();
  out.features = from.features();
  out.version = from.version();
  out.path_epoch = from.path_epoch();
  out.listens.assign(from.listens().begin(), from.listens().end());
  return out;
}

}  // namespace drover::tree
