// What a computer is made of as far as anybody says: what was found through its BMC, and what its
// own agent found where the BMC is silent. Pure.
#pragma once

#include "base/text.hpp"
#include "cluster/hardware/bmc_inventory.hpp"
#include "cluster/inventory.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::cluster {

/// Parts of a node as Model::parts_of() gives them: by "kind/slot".
using NodeParts = std::map<std::string, Part, NaturalLess>;

/// What a node's agent found, in the form of a look through a BMC. Lists are in natural order of
/// slots; removable disks are left out. Empty without parts.
BmcSystem machine_of(const NodeParts& parts);

/// A view of one computer; valid as long as what it was made from.
class Machine {
 public:
  /// `by_bmc` may be null: nobody looked.
  Machine(const BmcSystem* by_bmc, const NodeParts& parts);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Whether anybody says anything.
  [[nodiscard]] bool known() const { return by_bmc_ != nullptr || by_agent_; }
  /// Who it is, with its counts and versions: text by text the BMC's, else the agent's. Its lists
  /// are not to be looked at.
  [[nodiscard]] const BmcSystem& self() const { return mixed_ ? found_ : *by_bmc_; }
  /// List by list the BMC's, else the agent's.
  [[nodiscard]] const std::vector<BmcProcessor>& processors() const;
  [[nodiscard]] const std::vector<BmcProcessor>& accelerators() const;
  [[nodiscard]] const std::vector<BmcMemory>& memory() const;
  [[nodiscard]] const std::vector<BmcDrive>& drives() const;

 private:
  template <typename T>
  [[nodiscard]] const std::vector<T>& list(std::vector<T> BmcSystem::* member) const;

  const BmcSystem* by_bmc_;
  bool by_agent_ = false;
  bool mixed_ = false;  ///< self() is found_
  BmcSystem found_;     ///< the agent's, its texts completed by the BMC's
};

}  // namespace drover::cluster
