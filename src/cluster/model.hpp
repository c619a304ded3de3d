// The master's memory: nodes, groups, profiles, networks, parts and daemons, loaded from the store
// at start and fed by committed changes alone; beside each node what its agent said lately, which
// never touches the store.
#pragma once

#include "base/callback.hpp"
#include "base/noderange.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cluster/attributes.hpp"
#include "cluster/boot_next.hpp"
#include "cluster/content/cloud_init.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/overlay.hpp"
#include "cluster/group.hpp"
#include "cluster/image.hpp"
#include "cluster/inventory.hpp"
#include "cluster/mutations.hpp"
#include "cluster/network.hpp"
#include "cluster/node.hpp"
#include "cluster/profile.hpp"
#include "cluster/settings.hpp"
#include "cluster/stored_node.hpp"
#include "cluster/unknown_machine.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace drover::cluster {

class HardwareBook;

/// A node in memory. `encoded` caches the JSON of everything but the agent.
struct NodeEntry {
  [[nodiscard]] const Node& node() const { return stored->node; }

  std::shared_ptr<const StoredNode> stored;  ///< never null in a model
  uint64_t revision = 0;
  bool confirmed = false;      ///< somebody vouches for node.phase now
  std::optional<Agent> agent;  ///< absent until heard of
  /// What the last verdict that somebody vouched for said. It is in memory before the phase that
  /// follows from it is stored, and a stored `up` is not confirmed by hearing that it is lost.
  std::optional<PhaseState> vouched;
  mutable std::string encoded;
};

/// A group, profile, image, network, or what one of them gives its nodes, in memory.
template <typename T>
struct Defined {
  T value;
  uint64_t revision = 0;
};

/// One executor's thread only.
class Model {
 public:
  using Nodes = std::map<std::string, NodeEntry, NaturalLess>;
  using Parts = std::map<std::string, Part, NaturalLess>;  ///< by "kind/slot"
  using Groups = std::map<std::string, Defined<Group>, NaturalLess>;
  using Profiles = std::map<std::string, Defined<Profile>, NaturalLess>;
  using Images = std::map<std::string, Defined<Image>, NaturalLess>;
  using Networks = std::map<std::string, Defined<Network>, NaturalLess>;
  using Daemons = std::map<std::string, Daemon, NaturalLess>;  ///< by "role/name"

  /// What changed, for liveness, the path planner and the like. Called after the model has changed.
  struct NodeEvent {
    const std::string& name;
    const Node* before;  ///< null: it is new
    const Node* after;   ///< null: it was removed
  };
  using OnNode = Callback<void(const NodeEvent&)>;

  Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model();

  /// Reads everything; before the store's first write. corrupt names the object that cannot be
  /// read.
  Status load(store::Store& store);
  /// The changes of one commit, in order: what the store's feed gives. A body that cannot be read
  /// is an error, and the rest is applied.
  Status apply(std::span<const store::Change> changes);
  /// Calls `on_node` for every change of a node from now on. One listener.
  void on_node(OnNode on_node) { on_node_ = std::move(on_node); }

  /// Calls `on_settings` after each commit that changed cluster settings. One listener.
  void on_settings(Callback<void()> on_settings) { on_settings_ = std::move(on_settings); }

  [[nodiscard]] const Nodes& nodes() const { return nodes_; }
  [[nodiscard]] const NodeEntry* find(std::string_view name) const;
  /// Parts of a node; empty when it has none.
  [[nodiscard]] const Parts& parts_of(std::string_view node) const;
  [[nodiscard]] const Daemons& daemons() const { return daemons_; }
  [[nodiscard]] const Groups& groups() const { return groups_; }
  [[nodiscard]] const Profiles& profiles() const { return profiles_; }
  [[nodiscard]] const Images& images() const { return images_; }
  [[nodiscard]] const Networks& networks() const { return networks_; }
  /// What nodes are given, by owner: "group/rack1".
  using CloudInits = std::map<std::string, Defined<CloudInit>, NaturalLess>;
  using StepLists = std::map<std::string, Defined<StepList>, NaturalLess>;
  using Overlays = std::map<std::string, Defined<Overlay>, NaturalLess>;
  [[nodiscard]] const CloudInits& cloud_inits() const { return cloud_inits_; }
  [[nodiscard]] const StepLists& step_lists() const { return step_lists_; }
  [[nodiscard]] const Overlays& overlays() const { return overlays_; }
  /// Whether that owner gives its nodes anything of these.
  [[nodiscard]] bool gives_content(const std::string& owner) const;
  /// What nodes boot once, by node.
  using BootNexts = std::map<std::string, BootNext, NaturalLess>;
  [[nodiscard]] const BootNexts& boot_nexts() const { return boot_nexts_; }
  /// BMCs, components that are no nodes, and what else is known of hardware.
  [[nodiscard]] const HardwareBook& hardware() const { return *hardware_; }
  /// Machines that no node is known by, by MAC.
  using Unknowns = std::map<std::string, UnknownMachine, NaturalLess>;
  [[nodiscard]] const Unknowns& unknown_machines() const { return unknown_; }
  /// The node behind an alias, or nullptr.
  [[nodiscard]] const NodeEntry* find_alias(std::string_view alias) const;
  /// The static groups that a node is in, strongest first.
  [[nodiscard]] const std::vector<const Group*>& static_groups_of(std::string_view node) const;
  /// Members of a stored group in natural order, those of a dynamic one as of now; nothing when
  /// there is no such group. The result holds until the model changes.
  [[nodiscard]] const std::vector<std::string>* members(std::string_view group) const;
  [[nodiscard]] const Settings& settings() const { return settings_.settings(); }
  [[nodiscard]] const SettingBook& setting_book() const { return settings_; }
  /// The newest change in here.
  [[nodiscard]] uint64_t sequence() const { return sequence_; }

  /// Hot state. Unknown names are ignored: an agent may be heard before its node is stored.
  void set_agent(std::string_view name, Agent agent);
  void set_confirmed(std::string_view name, bool confirmed);
  void seen(std::string_view name, WallTime when);
  /// Takes over a verdict of liveness: confirmed and the agent's facts.
  void take(const Verdict& verdict, WallTime now);

  /// The API's view of a node.
  [[nodiscard]] NodeView view(const NodeEntry& entry) const;
  /// Its JSON, quicker than encode(view()): about 1 us from the cache.
  void append_json(std::string& out, const NodeEntry& entry) const;

  /// Changes with every change of membership or of anything that a noderange may ask for.
  [[nodiscard]] uint64_t generation() const { return generation_; }

 private:
  /// Whether one who vouches for `vouched` confirms a stored phase.
  static bool agrees(PhaseState vouched, PhaseState stored);
  Status put_node(const std::string& key, std::string_view body, uint64_t revision,
                  const store::ReadingPointer& reading);
  void erase_node(const std::string& key);
  Status apply_one(const store::Change& change);
  Status put(std::string_view kind, const std::string& key, std::string_view body,
             uint64_t revision);
  Status put_content(std::string_view kind, const std::string& key, std::string_view body,
                     uint64_t revision);
  void erase(std::string_view kind, const std::string& key);
  NodeEntry* find_mutable(std::string_view name);
  void index_aliases(const NodeEntry& entry, bool present);
  void forget_groups();

  Nodes nodes_;
  std::unordered_map<std::string_view, NodeEntry*> index_;  ///< lookup only, never walked
  std::map<std::string, Parts, std::less<>> parts_;
  Daemons daemons_;
  Groups groups_;
  Profiles profiles_;
  Images images_;
  Networks networks_;
  CloudInits cloud_inits_;
  StepLists step_lists_;
  Overlays overlays_;
  BootNexts boot_nexts_;
  std::unique_ptr<HardwareBook> hardware_;
  Unknowns unknown_;
  uint64_t sequence_ = 0;
  uint64_t generation_ = 0;
  OnNode on_node_;
  std::unordered_map<std::string, const NodeEntry*> aliases_;  ///< lookup only

  /// Worked out when asked for, forgotten when groups change.
  mutable bool groups_known_ = false;
  mutable std::unordered_map<std::string, std::vector<const Group*>> groups_of_;
  /// Members by group; of dynamic ones as of the generation.
  struct Members {
    std::vector<std::string> names;
    uint64_t generation = 0;
    bool being_made = false;  ///< its range is being evaluated: asked again, it has no members
  };
  mutable std::map<std::string, Members, std::less<>> members_;
  SettingBook settings_;
  Callback<void()> on_settings_;
};

/// Where attributes come from, by the model as it is.
class ModelDefinitions final : public Definitions {
 public:
  /// Which groups count. Ranges of dynamic groups see what static ones give, and so do addresses.
  enum class Groups { all, fixed };
  explicit ModelDefinitions(const Model& model, Groups which = Groups::all)
      : model_(model), which_(which) {}
  [[nodiscard]] const Profile* profile(std::string_view name) const override;
  [[nodiscard]] std::vector<const Group*> groups_of(const Node& node) const override;

 private:
  const Model& model_;
  Groups which_;
};

/// Whether a comparison in a noderange may begin with it: one of those below, or any attribute's
/// name.
bool is_node_attribute(std::string_view name);

/// The model as noderanges see it: every node, aliases, the groups @all, @compute, @utility and
/// the stored ones, and for comparisons:
/// - name, id, role, phase, power, service, enabled, flag, locked, cpus, memory_mib, gpus, os,
///   kernel, primary, secondary, version, address, confirmed (also as state.phase, summary.cpus,
///   agent.version ..),
/// - of the spec: nid, alias, profile, group, mac, ip, network, bmc, owner, owner_group, mode,
///   description (also as spec.nid ..); those that may be several fit when one of them does,
/// - effective attributes as attr.NAME, or NAME alone.
class ModelNames final : public NodeNames {
 public:
  explicit ModelNames(const Model& model,
                      ModelDefinitions::Groups groups = ModelDefinitions::Groups::all)
      : model_(model), definitions_(model, groups) {}
  [[nodiscard]] std::vector<std::string> all() const override;
  [[nodiscard]] bool is_node(std::string_view name) const override;
  [[nodiscard]] std::optional<std::string> node_of_alias(std::string_view alias) const override;
  [[nodiscard]] std::optional<std::vector<std::string>> members(
      std::string_view group) const override;
  [[nodiscard]] bool has_attribute(std::string_view attribute) const override;
  [[nodiscard]] std::optional<std::string> attribute(std::string_view node,
                                                     std::string_view attribute) const override;
  [[nodiscard]] bool is_list(std::string_view attribute) const override;

 private:
  const Model& model_;
  ModelDefinitions definitions_;
};

}  // namespace drover::cluster
