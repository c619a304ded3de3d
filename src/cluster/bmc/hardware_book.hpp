// The model's memory of hardware beside its nodes: BMCs, other components, interfaces, locks and
// what else the store has of them.
#pragma once

#include "base/result.hpp"
#include "base/text.hpp"
#include "cluster/bmc/bmc.hpp"
#include "cluster/bmc/component.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::cluster {

/// The kinds of objects that a HardwareBook knows.
inline constexpr std::array<std::string_view, 7> kHardwareKinds{
    kBmcKind,     kComponentKind, kComponentLockKind, kInterfaceKind,
    kNodeMapKind, kPowerMapKind,  kSubscriptionKind};

/// Fed by the model. One executor's thread only.
class HardwareBook {
 public:
  template <typename T>
  using ByName = std::map<std::string, T, NaturalLess>;

  [[nodiscard]] const ByName<ManagedBmc>& bmcs() const { return bmcs_; }
  [[nodiscard]] const ByName<Component>& components() const { return components_; }
  [[nodiscard]] const ByName<ComponentLock>& locks() const { return locks_; }
  [[nodiscard]] const ByName<KnownInterface>& interfaces() const { return interfaces_; }
  [[nodiscard]] const ByName<NodeMap>& node_maps() const { return node_maps_; }
  [[nodiscard]] const ByName<PowerMap>& power_maps() const { return power_maps_; }
  [[nodiscard]] const ByName<ScnSubscription>& subscriptions() const { return subscriptions_; }
  /// Revision of a BMC; 0: there is none.
  [[nodiscard]] uint64_t bmc_revision(std::string_view name) const;

  static bool knows(std::string_view kind);
  /// Of a kind that it knows; the error says what cannot be read.
  Status put(std::string_view kind, const std::string& key, std::string_view body,
             uint64_t revision);
  void erase(std::string_view kind, const std::string& key);

 private:
  ByName<ManagedBmc> bmcs_;
  ByName<uint64_t> bmc_revisions_;
  ByName<Component> components_;
  ByName<ComponentLock> locks_;
  ByName<KnownInterface> interfaces_;
  ByName<NodeMap> node_maps_;
  ByName<PowerMap> power_maps_;
  ByName<ScnSubscription> subscriptions_;
};

}  // namespace drover::cluster
