// The names that the ports of a node have, in DNS and for the hosts that ask without it.
#pragma once

#include "boot/site/ports.hpp"
#include "nss/name_file_writer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::boot {

/// A name without its domain, and the port whose addresses it has.
struct PortName {
  std::string label;
  const Port* port = nullptr;
  bool is_own = false;  ///< the node's own name; comes first
};

/// The names of a node: its own is that of the port it boots by, where that has an address, else of
/// the first that has one; the others are "n1-ib0", "bmc-n1". Ports without an address have none.
std::vector<PortName> names_of(std::string_view node, const std::vector<Port>& ports);

/// The domain of a network's names; `standard` where it says none.
std::string domain_of(const cluster::Network* network, std::string_view standard);

/// A node's hosts as libnss_drover knows them: the name with its domain, the name alone, and the
/// aliases, both ways. Ports whose formulas fail are left out: whoever boots the node says why.
std::vector<nss::NamedHost> hosts_of(const cluster::Model& model, const NetworkIndex& networks,
                                     const cluster::Node& node, std::string_view domain);

}  // namespace drover::boot
