// The machines behind found and collected BMCs, one after the other in an order that stays: by the
// addresses of their BMCs, then by their ids. Pure.
#pragma once

#include "cluster/bmc/bmc.hpp"
#include "cluster/discovery/found_bmc.hpp"
#include "cluster/node_spec.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// An interface as it becomes one of a node.
struct FoundNic {
  size_t place = 0;  ///< among all interfaces that the BMC lists: eth<place>
  std::string mac;   ///< canonical
};

/// A machine that may become a node.
struct FoundMachine {
  std::string bmc;  ///< address
  BmcProtocol protocol = BmcProtocol::redfish;
  uint16_t port = 0;  ///< 0: not known, the node's own counts
  std::string bmc_mac;
  std::string system;  ///< id; empty: there is but one
  std::string serial;  ///< empty: none that tells machines apart
  std::string vendor;  ///< texts that can be values of attributes, or empty
  std::string model;
  std::string arch;  ///< as the attribute arch has it; empty: not known
  std::vector<FoundNic> nics;
  std::vector<std::string> warnings;
  uint32_t index = 0;   ///< its place among those of its BMC, by its id (system_places())
  uint32_t count = 1;   ///< of machines of its BMC
  std::string problem;  ///< why it can become no node; empty: it can
};

/// All of them. A BMC that was found and not looked through, or has no machine, is one with a
/// problem; one of IPMI alone is one machine of which nothing is known.
std::vector<FoundMachine> found_machines(const std::vector<FoundBmc>& found,
                                         const std::vector<ManagedBmc>& collected);

}  // namespace drover::cluster
