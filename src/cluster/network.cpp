#include "cluster/network.hpp"

#include "base/noderange.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/ip_range.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kModeNames{"full", "proxy", "off"};
constexpr std::array<std::string_view, 3> kUnknownNames{"discover", "ignore", "number"};
constexpr std::array<std::string_view, 2> kNumberByNames{"arrival", "port"};
constexpr size_t kMostNumbered = 65'536;  ///< names of one network
constexpr uint16_t kLeastMtu = 68;        // RFC 791: what every link can carry

Status normalise_prefix(std::string_view field, std::string& prefix, bool v4) {
  if (prefix.empty()) return {};
  auto canonical = canonical_prefix(prefix);
  if (!canonical || (canonical->find(':') == std::string::npos) != v4) {
    return bad_field(field, prefix,
                     v4 ? "expected an IPv4 network, such as 10.77.0.0/24"
                        : "expected an IPv6 network, such as fd77::/64");
  }
  prefix = std::move(*canonical);
  return {};
}

Status normalise_addresses(std::string_view field, std::vector<std::string>& addresses) {
  if (addresses.size() > kMaxNetworkEntries) {
    return bad_field(field, fmt::format("{} entries", addresses.size()),
                     fmt::format("expected at most {}", kMaxNetworkEntries));
  }
  for (size_t i = 0; i < addresses.size(); ++i) {
    const auto address = IpAddress::parse(addresses[i]);
    if (!address) {
      return bad_field(fmt::format("{}[{}]", field, i), addresses[i], "expected an IP address");
    }
    addresses[i] = address->text();
  }
  return {};
}

Status check_domain(std::string_view field, std::string_view domain) {
  if (check_node_name(domain)) return {};
  return bad_field(field, domain,
                   "expected a DNS domain: letters, digits, '-' and dots, in lower case");
}

/// The first and last address of a network are its own and everybody's (RFC 1122 section 3.2.1.3),
/// but not of one with two addresses or one (RFC 3021).
bool has_special_ends(std::string_view prefix) {
  return !prefix.ends_with("/31") && !prefix.ends_with("/32");
}

Status normalise_gateway(Network& network) {
  if (network.gateway.empty()) return {};
  const auto gateway = IpAddress::parse(network.gateway);
  if (!gateway || !gateway->is_v4()) {
    return bad_field("gateway", network.gateway, "expected an IPv4 address");
  }
  const auto range = IpRange::parse_prefix(network.prefix);
  if (!range || !range->contains(*gateway)) {
    return bad_field("gateway", network.gateway,
                     fmt::format("expected an address of the network's prefix{}{}",
                                 network.prefix.empty() ? "" : " ", network.prefix));
  }
  const bool special = *gateway == range->first || *gateway == range->last;
  if (special && has_special_ends(network.prefix)) {
    return bad_field("gateway", network.gateway,
                     "expected a machine's address, not that of the network itself");
  }
  network.gateway = gateway->text();
  return {};
}

Status normalise_pool(Network& network) {
  if (network.pool.empty()) return {};
  const auto pool = IpRange::parse_run(network.pool);
  if (!pool || !pool->first.is_v4()) {
    return bad_field("pool", network.pool,
                     "expected the first and the last IPv4 address, such as "
                     "10.77.0.200-10.77.0.250");
  }
  const auto range = IpRange::parse_prefix(network.prefix);
  if (!range || !range->contains(*pool)) {
    return bad_field("pool", network.pool,
                     fmt::format("expected addresses of the network's prefix{}{}",
                                 network.prefix.empty() ? "" : " ", network.prefix));
  }
  if (has_special_ends(network.prefix) &&
      (pool->contains(range->first) || pool->contains(range->last))) {
    return bad_field(
        "pool", network.pool,
        fmt::format("it holds {}, which is the network's own",
                    pool->contains(range->first) ? range->first.text() : range->last.text()));
  }
  const auto gateway = IpAddress::parse(network.gateway);
  if (gateway && pool->contains(*gateway)) {
    return bad_field("pool", network.pool, fmt::format("it holds the gateway {}", network.gateway));
  }
  network.pool = fmt::format("{}-{}", pool->first.text(), pool->last.text());
  return {};
}

Status normalise_numbering(Network& network) {
  if (network.number_nodes.empty()) {
    if (network.unknown != UnknownMachines::number) return {};
    return bad_field("number_nodes", "", "unknown=number needs names to give, such as n[1-64]");
  }
  const auto names = expand_names(network.number_nodes);
  if (!names) return bad_field("number_nodes", network.number_nodes, names.error().text());
  if (names->size() > kMostNumbered) {
    return bad_field("number_nodes", network.number_nodes,
                     fmt::format("expected at most {} names", kMostNumbered));
  }
  for (const std::string& name : *names) {
    if (const Status fits = check_node_name(name); !fits) {
      return bad_field("number_nodes", name, fits.error().text());
    }
  }
  network.number_nodes = fold_names(*names);
  return {};
}

Status check_numbers(const Network& network) {
  if (network.mtu != 0 && network.mtu < kLeastMtu) {
    return bad_field("mtu", std::to_string(network.mtu),
                     fmt::format("expected {} to 65535, or 0 for none", kLeastMtu));
  }
  if (network.lease_seconds < kLeastLease || network.lease_seconds > kMostLease) {
    return bad_field("lease_seconds", std::to_string(network.lease_seconds),
                     fmt::format("expected {} to {}", kLeastLease, kMostLease));
  }
  return {};
}

bool overlap(std::string_view a, std::string_view b) {
  const auto first = IpRange::parse_prefix(a);
  const auto second = IpRange::parse_prefix(b);
  return first && second && first->overlaps(*second);
}

}  // namespace

std::span<const std::string_view> enum_names(NetworkMode) {
  return kModeNames;
}

std::span<const std::string_view> enum_names(UnknownMachines) {
  return kUnknownNames;
}

std::span<const std::string_view> enum_names(NumberBy) {
  return kNumberByNames;
}

void Network::describe(Visitor& v) {
  v.field("name", name, "Name of the network.");
  v.field("description", description, "Free text.", Presence::optional);
  v.field("prefix", prefix, "Its IPv4 addresses: 10.77.0.0/24.", Presence::optional);
  v.field("prefix6", prefix6, "Its IPv6 addresses: fd77::/64.", Presence::optional);
  v.field("mode", mode,
          "What the boot service does there: full (addresses and boot files), proxy (boot files "
          "beside another DHCP server) or off.",
          Presence::optional);
  v.field("pool", pool, "Addresses for machines without one of their own: 10.77.0.200-10.77.0.250.",
          Presence::optional);
  v.field("gateway", gateway, "The default route.", Presence::optional);
  v.field("nameservers", nameservers,
          "DNS servers that its machines are told of; empty: the boot service itself.",
          Presence::optional);
  v.field("ntp_servers", ntp_servers, "Time servers that its machines are told of.",
          Presence::optional);
  v.field("domain", domain, "The DNS domain that completes the names of its machines.",
          Presence::optional);
  v.field("search", search, "Domains that its machines search; empty: the domain alone.",
          Presence::optional);
  v.field("mtu", mtu, "Largest packet in bytes; 0: not told.", Presence::optional);
  v.field("lease_seconds", lease_seconds, "How long an address is given for.", Presence::optional);
  v.field("unknown", unknown,
          "Machines that no node is known by: discover (an address of the pool for a while, shown "
          "for approval), ignore, or number (the same as discover, and named by number_nodes).",
          Presence::optional);
  v.field("number_nodes", number_nodes,
          "Names that unknown machines are given by themselves, such as n[1-64]; nodes of these "
          "names need not be defined.",
          Presence::optional);
  v.field(
      "number_by", number_by,
      "How: arrival (the first name that has no machine) or port (the last number of the switch "
      "port is the place among the names).",
      Presence::optional);
}

Status normalise(Network& network) {
  DROVER_CHECK_OK(check_set_name("name", network.name));
  DROVER_CHECK_OK(check_plain_text("description", network.description, kMaxDescription));
  DROVER_CHECK_OK(normalise_prefix("prefix", network.prefix, true));
  DROVER_CHECK_OK(normalise_prefix("prefix6", network.prefix6, false));
  if (network.prefix.empty() && network.prefix6.empty()) {
    return bad_field("prefix", "", "expected a network, such as 10.77.0.0/24");
  }
  DROVER_CHECK_OK(normalise_gateway(network));
  DROVER_CHECK_OK(normalise_pool(network));
  DROVER_CHECK_OK(normalise_addresses("nameservers", network.nameservers));
  DROVER_CHECK_OK(normalise_addresses("ntp_servers", network.ntp_servers));
  if (!network.domain.empty()) DROVER_CHECK_OK(check_domain("domain", network.domain));
  if (network.search.size() > kMaxNetworkEntries) {
    return bad_field("search", fmt::format("{} entries", network.search.size()),
                     fmt::format("expected at most {}", kMaxNetworkEntries));
  }
  for (size_t i = 0; i < network.search.size(); ++i) {
    DROVER_CHECK_OK(check_domain(fmt::format("search[{}]", i), network.search[i]));
  }
  DROVER_CHECK_OK(normalise_numbering(network));
  return check_numbers(network);
}

Status check_apart(const Network& network, const Network& other) {
  const bool first = overlap(network.prefix, other.prefix);
  if (!first && !overlap(network.prefix6, other.prefix6)) return {};
  return bad_field(first ? "prefix" : "prefix6", first ? network.prefix : network.prefix6,
                   fmt::format("it shares addresses with {} of network '{}'",
                               first ? other.prefix : other.prefix6, other.name));
}

bool holds(const Network& network, std::string_view address) {
  const auto parsed = IpAddress::parse(without_prefix(address));
  if (!parsed) return false;
  const auto range = IpRange::parse_prefix(parsed->is_v4() ? network.prefix : network.prefix6);
  return range && range->contains(*parsed);
}

}  // namespace drover::cluster
