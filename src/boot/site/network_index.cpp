#include "boot/site/network_index.hpp"

#include "cluster/net_address.hpp"

#include <algorithm>

namespace drover::boot {

NetworkIndex::NetworkIndex(const cluster::Model::Networks& networks) {
  for (const auto& [name, defined] : networks) {
    const cluster::Network& network = defined.value;
    by_name_.emplace(network.name, &network);
    for (const std::string* prefix : {&network.prefix, &network.prefix6}) {
      if (const auto range = cluster::IpRange::parse_prefix(*prefix)) {
        entries_.push_back({*range, &network});
      }
    }
  }
  std::ranges::sort(entries_, {}, [](const Entry& entry) { return entry.range.first; });
}

const cluster::Network* NetworkIndex::holding(std::string_view address) const {
  const auto parsed = cluster::IpAddress::parse(cluster::without_prefix(address));
  if (!parsed) return nullptr;
  const auto after = std::ranges::upper_bound(entries_, *parsed, {},
                                              [](const Entry& entry) { return entry.range.first; });
  if (after == entries_.begin()) return nullptr;
  const Entry& entry = *std::prev(after);
  return entry.range.contains(*parsed) ? entry.network : nullptr;
}

const cluster::Network* NetworkIndex::named(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

const cluster::Network* NetworkIndex::of(const cluster::Interface& interface) const {
  if (!interface.network.empty()) {
    if (const auto* network = named(interface.network)) return network;
  }
  for (const std::string& address : interface.addresses) {
    if (const auto* network = holding(address)) return network;
  }
  return nullptr;
}

}  // namespace drover::boot
