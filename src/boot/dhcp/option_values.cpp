// Lists as DHCP options carry them.
#include "boot/dhcp/option_values.hpp"

namespace drover::boot::dhcp {

namespace {

void append(std::string& out, Ipv4 address) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(address.value >> shift);
}

/// `domain` as labels with lengths; empty when it is no name (RFC 1035 section 2.3.4).
std::string labels(std::string_view domain) {
  std::string out;
  if (domain.ends_with('.')) domain.remove_suffix(1);
  while (!domain.empty()) {
    const size_t dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    if (label.empty() || label.size() > 63) return {};
    out += static_cast<char>(label.size());
    out += label;
    if (dot == std::string_view::npos) break;
    domain.remove_prefix(dot + 1);
    if (domain.empty()) return {};
  }
  if (out.empty() || out.size() > 254) return {};
  out += '\0';
  return out;
}

}  // namespace

std::string addresses_value(std::span<const Ipv4> addresses) {
  std::string out;
  for (const Ipv4 address : addresses) append(out, address);
  return out;
}

std::string search_value(std::span<const std::string> domains) {
  std::string out;
  for (const std::string& domain : domains) out += labels(domain);
  return out;
}

std::string routes_value(std::span<const Route> routes) {
  std::string out;
  for (const Route& route : routes) {
    out += static_cast<char>(route.to.bits);
    for (int bit = 0; bit < route.to.bits; bit += 8) {
      out += static_cast<char>(route.to.network.value >> (24 - bit));
    }
    append(out, route.via);
  }
  return out;
}

SubnetValues subnet_values(const Subnet& subnet) {
  SubnetValues values;
  values.routers = addresses_value(subnet.routers);
  values.name_servers = addresses_value(subnet.name_servers);
  values.time_servers = addresses_value(subnet.time_servers);
  values.search = search_value(subnet.search);
  if (subnet.routes.empty()) return values;
  std::vector<Route> routes = subnet.routes;
  bool has_default = false;
  for (const Route& route : routes) has_default = has_default || route.to.bits == 0;
  if (!has_default && !subnet.routers.empty()) routes.push_back({{}, subnet.routers.front()});
  values.routes = routes_value(routes);
  return values;
}

}  // namespace drover::boot::dhcp
