// Which network an address or an interface is on. Networks share no address, so the last one that
// begins at or before an address is the only one that can hold it.
#pragma once

#include "cluster/ip_range.hpp"
#include "cluster/model.hpp"
#include "cluster/network.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace drover::boot {

/// Valid until the model's networks change. One thread.
class NetworkIndex {
 public:
  explicit NetworkIndex(const cluster::Model::Networks& networks);

  /// The network that holds an address, with or without "/prefix"; nullptr when none does.
  [[nodiscard]] const cluster::Network* holding(std::string_view address) const;
  /// By name; nullptr when there is none.
  [[nodiscard]] const cluster::Network* named(std::string_view name) const;
  /// The network that the interface names, else the one that holds its first address that one does.
  [[nodiscard]] const cluster::Network* of(const cluster::Interface& interface) const;

 private:
  struct Entry {
    cluster::IpRange range;
    const cluster::Network* network;
  };
  std::vector<Entry> entries_;  ///< by first address
  std::map<std::string_view, const cluster::Network*> by_name_;
};

}  // namespace drover::boot
