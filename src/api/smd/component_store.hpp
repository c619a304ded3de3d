// What SMD's clients say of components, put into the one model inside a store mutation: of nodes
// into nodes, of anything else into components.
#pragma once

#include "api/smd/component_input.hpp"
#include "api/smd/component_rows.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"
#include "cluster/bmc/component.hpp"
#include "cluster/definition_writer.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace drover::api::smd {

/// A component that is to be changed or made, and what was known of it when the request came.
struct ComponentTarget {
  cluster::Xname id;
  SaidPointer says;      ///< never null
  std::string node;      ///< name of the node behind it; empty: none is known
  bool heard = false;    ///< the node's own agent vouches for its phase
  std::string fresh_id;  ///< for a node that is made
  bool known = false;
  /// Of what is no node; null: of a node, or nothing is known.
  std::shared_ptr<const cluster::Component> as_known;
};

/// Fills in what is known of each.
std::vector<ComponentTarget> targets_of(ComponentRows& rows,
                                        const std::vector<NamedComponent>& components);

/// How strictly transitions count.
enum class Transitions : uint8_t {
  forced,   ///< any state may follow any other
  refused,  ///< what is not allowed is an error, and nothing is changed
  ignored,  ///< what is not allowed changes nothing and is no error, as SMD has it
};

/// One mutation's changes of components. finish() comes last.
class ComponentStore {
 public:
  explicit ComponentStore(store::Transaction& tx)
      : tx_(tx), writer_(tx, cluster::DefinitionWriter::Mode::together) {}

  /// What else a node that is made is to have, put into its spec before it is written.
  using Complete = Callback<void(cluster::NodeSpec&)>;
  /// Makes what is not there; changes what is there if `force`.
  Status put(const ComponentTarget& target, bool force, Complete complete = {});
  /// Changes what is there.
  Status patch(const ComponentTarget& target, Transitions transitions);
  /// Whether there was one.
  Result<bool> remove(const ComponentTarget& target);
  Status finish() { return writer_.finish(); }
  [[nodiscard]] cluster::DefinitionWriter& writer() { return writer_; }

 private:
  Status make_node(const ComponentTarget& target, Complete complete);
  Status change_node(const ComponentTarget& target, const std::string& name,
                     Transitions transitions);
  Status change_component(const ComponentTarget& target, Transitions transitions);
  Status put_lock(const std::string& xname, bool is_node, const ComponentSays& says);
  [[nodiscard]] cluster::SmdReport report(const ComponentTarget& target) const;
  /// Interfaces that were posted before their node are its own from now on.
  Status adopt_interfaces(const std::string& xname, cluster::NodeSpec& spec);
  /// The number for a new node: of the node maps, of its place, or the next free one.
  Result<uint64_t> fresh_nid(const cluster::Xname& id);

  store::Transaction& tx_;
  cluster::DefinitionWriter writer_;
  std::set<std::string, std::less<>> made_;  ///< names of nodes that this mutation made
  std::set<uint64_t> given_;                 ///< numbers that it gave
  bool listed_ = false;
  std::multimap<std::string, cluster::KnownInterface> waiting_;  ///< interfaces by xname
};

/// Whether nodes have this type: the rest are components.
bool is_node_type(cluster::XnameType type);

}  // namespace drover::api::smd
