// Components as SMD lists them: a node, a BMC, or what is stored as a component, each as one row
// that filters look at and that is written as JSON. About 1 us a row.
#pragma once

#include "cluster/bmc/component.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/bmc/smd_state.hpp"
#include "cluster/model.hpp"
#include "cluster/xname_map.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

/// A view: valid while the model does not change. Empty texts are left out of the JSON.
struct ComponentRow {
  std::string id;
  cluster::XnameType type = cluster::XnameType::node;
  std::string_view state;
  std::string_view flag;
  bool enabled = true;
  std::string_view software_status;
  std::string_view role;
  std::string_view sub_role;
  uint64_t nid = 0;  ///< 0: none
  std::string_view subtype;
  std::string_view net_type;
  std::string_view arch;
  std::string_view hw_class;
  bool no_reservations = false;
  bool locked = false;
  const cluster::NodeEntry* node = nullptr;       ///< of a node
  const cluster::Component* component = nullptr;  ///< of another that is stored
  const cluster::ManagedBmc* bmc = nullptr;       ///< of a BMC
};

/// Which members a row is written with.
enum class RowView : uint8_t { whole, state_only, flag_only, role_only, nid_only };
void append_json(std::string& out, const ComponentRow& row, RowView view);

/// Makes rows. Valid while the model does not change.
class ComponentRows {
 public:
  explicit ComponentRows(const cluster::Model& model);

  /// Every component: nodes by name, then BMCs and others by xname.
  [[nodiscard]] std::vector<ComponentRow> all() const;
  /// By canonical xname.
  [[nodiscard]] std::optional<ComponentRow> find(std::string_view xname);
  [[nodiscard]] std::optional<ComponentRow> find_nid(uint64_t nid);
  [[nodiscard]] cluster::XnameIndex& index() { return index_; }

 private:
  [[nodiscard]] ComponentRow of_node(const cluster::NodeEntry& entry) const;
  [[nodiscard]] ComponentRow of_component(const cluster::Component& component) const;
  [[nodiscard]] ComponentRow of_bmc(const cluster::ManagedBmc& bmc) const;
  void add_lock(ComponentRow& row) const;

  const cluster::Model& model_;
  const cluster::HardwareBook& book_;
  cluster::XnameIndex index_;
  /// Whether a group or profile sets one of the attributes that rows show: then they are looked up
  /// everywhere, else in the node alone.
  bool inherited_ = false;
};

}  // namespace drover::api::smd
