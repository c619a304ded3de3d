#include "boot/site/host_names.hpp"

#include "cluster/net_address.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::boot {
namespace {

/// "eth0.100" as a part of a DNS name: "eth0-100".
std::string label_of(std::string_view interface) {
  std::string out;
  for (const char c : interface) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (plain || lower != c) {
      out.push_back(lower);
    } else if (!out.empty() && out.back() != '-') {
      out.push_back('-');
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return out;
}

bool has_address(const Port& port) {
  return !port.interface.addresses.empty();
}

nss::NamedHost host_of(const PortName& named, const std::vector<std::string>& aliases,
                       std::string_view standard) {
  const std::string domain = domain_of(named.port->network, standard);
  nss::NamedHost out;
  const auto add = [&](const std::string& label) {
    out.names.push_back(fmt::format("{}.{}", label, domain));
    out.names.push_back(label);
  };
  add(named.label);
  if (named.is_own) std::ranges::for_each(aliases, add);
  for (const std::string& address : named.port->interface.addresses) {
    const auto octets = cluster::address_octets(cluster::without_prefix(address));
    if (!octets) continue;
    if (octets->size() == 4) {
      std::ranges::copy(*octets, out.addresses4.emplace_back().begin());
    } else {
      std::ranges::copy(*octets, out.addresses6.emplace_back().begin());
    }
  }
  return out;
}

}  // namespace

std::vector<PortName> names_of(std::string_view node, const std::vector<Port>& ports) {
  std::vector<PortName> out;
  const Port* own = boot_port(ports);
  if (own == nullptr || !has_address(*own)) {
    const auto it = std::ranges::find_if(
        ports, [](const Port& port) { return has_address(port) && !port.is_bmc; });
    own = it == ports.end() ? nullptr : &*it;
  }
  if (own != nullptr) out.push_back({std::string(node), own, true});
  for (const Port& port : ports) {
    if (&port == own || !has_address(port)) continue;
    if (port.is_bmc) {
      out.push_back({fmt::format("bmc-{}", node), &port, false});
    } else if (const std::string label = label_of(port.interface.name); !label.empty()) {
      out.push_back({fmt::format("{}-{}", node, label), &port, false});
    }
  }
  return out;
}

std::string domain_of(const cluster::Network* network, std::string_view standard) {
  return network == nullptr || network->domain.empty() ? std::string(standard) : network->domain;
}

std::vector<nss::NamedHost> hosts_of(const cluster::Model& model, const NetworkIndex& networks,
                                     const cluster::Node& node, std::string_view domain) {
  std::vector<std::string> problems;
  const std::vector<Port> ports = ports_of(model, networks, node, problems);
  std::vector<nss::NamedHost> out;
  for (const PortName& named : names_of(node.name, ports)) {
    out.push_back(host_of(named, node.spec.aliases, domain));
  }
  return out;
}

}  // namespace drover::boot
