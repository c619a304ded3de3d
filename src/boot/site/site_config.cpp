// What DHCP and DNS are told of networks.
#include "boot/site/host_names.hpp"
#include "boot/site/place.hpp"
#include "cluster/ip_range.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace drover::boot {
namespace {

std::vector<Ipv4> v4_of(const std::vector<std::string>& addresses) {
  std::vector<Ipv4> out;
  for (const std::string& address : addresses) {
    if (const auto v4 = Ipv4::parse(address)) out.push_back(*v4);
  }
  return out;
}

dhcp::SubnetMode mode_of(cluster::NetworkMode mode) {
  switch (mode) {
    case cluster::NetworkMode::full:
      return dhcp::SubnetMode::full;
    case cluster::NetworkMode::proxy:
      return dhcp::SubnetMode::proxy;
    case cluster::NetworkMode::off:
      return dhcp::SubnetMode::off;
  }
  return dhcp::SubnetMode::off;
}

/// The reverse zones that a prefix fills, cut at whole octets: 10.77.4.0/23 fills two, and
/// 10.77.0.0/25 half of one.
std::vector<dns::Name> reverse_zones(const Prefix4& prefix) {
  std::vector<dns::Name> out;
  const unsigned octets = std::clamp((prefix.bits + 7U) / 8U, 1U, 3U);
  const unsigned whole = octets * 8;
  const uint32_t count = prefix.bits >= whole ? 1 : uint32_t{1} << (whole - prefix.bits);
  for (uint32_t i = 0; i < count; ++i) {
    dns::Name name = dns::reverse_name(Ipv4{prefix.network.value + (i << (32 - whole))});
    for (unsigned drop = octets; drop < 4; ++drop) name = name.parent();
    out.push_back(name);
  }
  return out;
}

/// Cut at whole hexadecimal digits, at most four zones.
std::vector<dns::Name> reverse_zones(const Prefix6& prefix) {
  dns::Name name = dns::reverse_name(prefix.network);
  for (unsigned digits = 32; digits > prefix.bits / 4U; --digits) name = name.parent();
  return {name};
}

}  // namespace

dhcp::ServerConfig Site::dhcp_config() const {
  dhcp::ServerConfig out;
  out.own_addresses = options_.own_addresses;
  const std::string base = fmt::format("http://{{server}}:{}", options_.http_port);
  out.http_prefix = base + "/boot/loaders/";
  out.script = base + "/boot/v1/bootscript?mac=${netX/mac}";
  out.unknown_script = out.script;
  size_t pool = 0;
  for (const auto& [name, defined] : model_.networks()) {
    const cluster::Network& network = defined.value;
    const auto prefix = Prefix4::parse(network.prefix);
    if (!prefix) continue;
    dhcp::Subnet subnet;
    subnet.name = name;
    subnet.prefix = *prefix;
    subnet.mode = mode_of(network.mode);
    if (const auto gateway = Ipv4::parse(network.gateway)) subnet.routers = {*gateway};
    subnet.name_servers = v4_of(network.nameservers);
    if (network.nameservers.empty()) {
      std::ranges::copy_if(options_.own_addresses, std::back_inserter(subnet.name_servers),
                           [&](Ipv4 own) { return prefix->contains(own); });
    }
    subnet.time_servers = v4_of(network.ntp_servers);
    subnet.domain = network.domain;
    subnet.search = network.search;
    if (subnet.search.empty() && !network.domain.empty()) subnet.search = {network.domain};
    subnet.mtu = network.mtu;
    subnet.lease = std::chrono::seconds(network.lease_seconds);
    subnet.discovers = network.unknown != cluster::UnknownMachines::ignore;
    if (!network.pool.empty()) subnet.pool = pool++;
    out.subnets.push_back(std::move(subnet));
  }
  return out;
}

std::vector<dhcp::Pool> Site::pools() const {
  std::vector<dhcp::Pool> out;
  for (const auto& [name, defined] : model_.networks()) {
    const std::string& run = defined.value.pool;
    const size_t dash = run.find('-');
    if (dash == std::string::npos || !Prefix4::parse(defined.value.prefix)) continue;
    const auto first = Ipv4::parse(std::string_view(run).substr(0, dash));
    const auto last = Ipv4::parse(std::string_view(run).substr(dash + 1));
    out.push_back({first.value_or(Ipv4{1}), last.value_or(Ipv4{0})});
  }
  return out;
}

dhcp6::ServerConfig Site::dhcp6_config() const {
  dhcp6::ServerConfig out;
  const std::string base = fmt::format("http://[{{server}}]:{}", options_.http_port);
  out.http_prefix = base + "/boot/loaders/";
  out.script = base + "/boot/v1/bootscript?mac=${netX/mac}";
  out.unknown_script = out.script;
  for (const auto& [name, defined] : model_.networks()) {
    const cluster::Network& network = defined.value;
    const auto prefix = Prefix6::parse(network.prefix6);
    // There is no proxy in DHCPv6: a machine takes all from one server.
    if (!prefix || network.mode != cluster::NetworkMode::full) continue;
    dhcp6::Subnet subnet;
    subnet.prefix = *prefix;
    for (const std::string& server : network.nameservers) {
      if (const auto v6 = Ipv6::parse(server)) subnet.name_servers.push_back(*v6);
    }
    if (network.nameservers.empty()) {
      std::ranges::copy_if(options_.own_addresses6, std::back_inserter(subnet.name_servers),
                           [&](const Ipv6& own) { return prefix->contains(own); });
    }
    subnet.search = network.search;
    if (subnet.search.empty() && !network.domain.empty()) subnet.search = {network.domain};
    subnet.valid = std::chrono::seconds(network.lease_seconds);
    subnet.preferred = subnet.valid / 2;
    subnet.derive = prefix->bits <= 64;
    subnet.discovers = network.unknown != cluster::UnknownMachines::ignore;
    out.subnets.push_back(std::move(subnet));
  }
  return out;
}

void Site::add_own_names() {
  std::set<std::string> domains{options_.domain};
  for (const auto& [name, defined] : model_.networks())
    domains.insert(domain_of(&defined.value, options_.domain));
  for (const std::string& domain : domains) {
    const auto name = dns::Name::parse(options_.server_name + "." + domain);
    if (name && !(options_.own_addresses.empty() && options_.own_addresses6.empty())) {
      hosts_.add_host(*name, options_.own_addresses, options_.own_addresses6);
    }
  }
}

void Site::add_names(Machine& machine) {
  const std::vector<PortName> names = names_of(machine.name, machine.ports);
  for (const PortName& named : names) {
    const auto place = std::ranges::find(machine.places, named.port, &Place::port);
    const auto name =
        dns::Name::parse(named.label + "." + domain_of(named.port->network, options_.domain));
    if (!name || place == machine.places.end()) continue;
    hosts_.add_host(*name, place->reservation.addresses, place->reservation6.addresses);
    machine.names.push_back(*name);
  }
  if (names.empty() || !names.front().is_own) return;
  const std::string domain = domain_of(names.front().port->network, options_.domain);
  const auto target = dns::Name::parse(machine.name + "." + domain);
  for (const std::string& alias : machine.spec.aliases) {
    const auto name = dns::Name::parse(alias + "." + domain);
    if (name && target && hosts_.add_alias(*name, *target)) machine.names.push_back(*name);
  }
}

std::vector<dns::Zone> Site::zones() const {
  std::vector<dns::Zone> out;
  const auto server =
      dns::Name::parse(options_.server_name + "." + options_.domain).value_or(dns::Name());
  const auto mailbox = dns::Name::parse("hostmaster." + options_.domain).value_or(dns::Name());
  const auto add = [&](const dns::Name& apex) {
    const bool known =
        std::ranges::any_of(out, [&](const dns::Zone& zone) { return zone.apex.same_as(apex); });
    if (known) return;
    dns::Zone zone;
    zone.apex = apex;
    zone.soa.primary = server;
    zone.soa.mailbox = mailbox;
    zone.soa.serial = static_cast<uint32_t>(model_.sequence() == 0 ? 1 : model_.sequence());
    zone.servers = {server};
    zone.ttl = options_.dns_ttl;
    out.push_back(std::move(zone));
  };
  std::set<std::string> domains{options_.domain};
  for (const auto& [name, defined] : model_.networks())
    domains.insert(domain_of(&defined.value, options_.domain));
  for (const std::string& domain : domains) {
    if (const auto apex = dns::Name::parse(domain)) add(*apex);
  }
  for (const auto& [name, defined] : model_.networks()) {
    if (const auto prefix = Prefix4::parse(defined.value.prefix)) {
      for (const dns::Name& apex : reverse_zones(*prefix)) add(apex);
    }
    if (const auto prefix = Prefix6::parse(defined.value.prefix6)) {
      for (const dns::Name& apex : reverse_zones(*prefix)) add(apex);
    }
  }
  return out;
}

}  // namespace drover::boot
