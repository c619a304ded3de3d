#include "api/bmc_nodes.hpp"

#include "base/text.hpp"
#include "cluster/attributes.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {

BmcNodes::BmcNodes(const cluster::Model& model) : xnames_(model) {
  const cluster::ModelDefinitions definitions(model);
  for (const auto& [name, entry] : model.nodes()) {
    const auto& bmc = entry.node().spec.bmc;
    if (!bmc) continue;
    cluster::NodeAttributes attributes(entry.node(), definitions);
    const auto value = cluster::evaluate_bmc(attributes, *bmc);
    if (value && !value->address.empty()) by_address_[value->address].push_back(name);
  }
}

std::vector<std::string> BmcNodes::at(std::string_view address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> BmcNodes::of(const cluster::ManagedBmc& bmc) {
  std::vector<std::string> names = at(bmc.address);
  for (std::string& name : at(bmc.ip)) names.push_back(std::move(name));
  if (bmc.inventory) {
    for (const uint32_t place : cluster::system_places(bmc.inventory->systems)) {
      const auto* const entry = xnames_.find(fmt::format("{}n{}", bmc.name, place));
      if (entry != nullptr) names.push_back(entry->node().name);
    }
  }
  std::ranges::sort(names, NaturalLess());
  const auto [first, last] = std::ranges::unique(names);
  names.erase(first, last);
  return names;
}

}  // namespace drover::api
