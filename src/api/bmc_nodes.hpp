// Which nodes a BMC has.
#pragma once

#include "cluster/bmc/bmc.hpp"
#include "cluster/model.hpp"
#include "cluster/xname_map.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// Of all nodes, as the model is now. Executor's thread, until the model changes.
class BmcNodes {
 public:
  /// Walks over all nodes: their addresses may be formulas.
  explicit BmcNodes(const cluster::Model& model);
  /// Names of the nodes whose BMC has this address, in natural order; empty: none.
  [[nodiscard]] std::vector<std::string> at(std::string_view address) const;
  /// Those that say its address, and those at its machines' places, in natural order.
  [[nodiscard]] std::vector<std::string> of(const cluster::ManagedBmc& bmc);

 private:
  cluster::XnameIndex xnames_;
  std::map<std::string, std::vector<std::string>, std::less<>> by_address_;
};

}  // namespace drover::api
