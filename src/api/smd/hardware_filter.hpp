// The filters of SMD's hardware inventory.
#pragma once

#include "api/smd/alternatives.hpp"
#include "api/smd/hardware_items.hpp"
#include "cluster/model.hpp"

#include <set>
#include <string>
#include <vector>

namespace drover::api::smd {

class HardwareFilter {
 public:
  /// invalid_argument in SMD's words. Of /Inventory/Hardware, Hardware/Query and HardwareByFRU.
  static Result<HardwareFilter> of(const Query& query, const cluster::Model& model);

  /// Narrows it to one place, as a query does, with what is in it unless ?children=false or
  /// ?parents=true says otherwise. A partition's name narrows it to that.
  Status narrow(const cluster::Xname& place, const cluster::Model& model);
  [[nodiscard]] bool accepts(const HardwareItem& item) const;
  /// Gives what it accepts of all hardware.
  void walk(const cluster::Model& model, const cluster::KnownHardwareMap& said,
            TakeItem take) const;

 private:
  Status take_partition(const std::string& name, const cluster::Model& model);
  [[nodiscard]] bool fits_place(const std::string& id) const;

  Alternatives ids_, types_, makers_, parts_, serials_, frus_;
  std::optional<bool> children_, parents_;
  std::string place_;  ///< of a query; empty: none
  bool partitioned_ = false;
  std::set<std::string, std::less<>> in_partition_;  ///< names of nodes
};

/// The partition's name by SMD's rule, lower case; invalid_argument.
Result<std::string> partition_name(std::string_view text);

}  // namespace drover::api::smd
