// The master's end of the tree: the links of aggregators, utility and boot daemons, what they say
// about nodes, the decisions about paths, calls, and records.
#pragma once

#include "cluster/health.hpp"
#include "cluster/liveness.hpp"
#include "cluster/model.hpp"
#include "daemons/doubtful_losses.hpp"
#include "daemons/link_door.hpp"
#include "daemons/record_intake.hpp"
#include "daemons/revocation_board.hpp"
#include "daemons/seams.hpp"
#include "daemons/settings_board.hpp"
#include "daemons/spool_reporter.hpp"
#include "store/store.hpp"
#include "tree/call_dispatch.hpp"
#include "tree/channel_net.hpp"
#include "tree/heartbeat.hpp"
#include "tree/member_table.hpp"
#include "tree/path_planner.hpp"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace drover::proto {
class Members;
}

namespace drover::daemons {

class NodeUpDesk;

struct MasterTreeConfig {
  tree::Introduction self;
  Timing timing;
  tree::PathPlannerSettings paths;
  /// After the start no path is decided for this long, so that the links of all aggregators count.
  Duration settle = std::chrono::seconds(2);
  /// Settings that were given to this master itself.
  SettingsBoard::Values own_settings = {};
  /// What aggregators are told; empty: nothing.
  Callback<RevocationList()> revocations = {};
};

/// A child daemon as the master has seen it: linked, or since when and why not.
struct ChildStatus {
  tree::Introduction daemon;
  std::string address;
  bool linked = false;
  WallTime since{};
  std::string why;
};

/// Takes one node's encoded telemetry.Sample.
using TakeSample = Callback<void(const std::string& node, std::string_view sample)>;
/// Refuses a revoked daemon, or one with a key that another host's has replaced.
using Admit = Callback<Status(const tree::Introduction& peer, const std::string& key_sha256)>;

/// Executor's thread only. `store` and `model` outlive it.
class MasterTree final : public DoorEvents, public tree::CallRoutes {
 public:
  MasterTree(Seams seams, MasterTreeConfig config,
             Callback<std::shared_ptr<net::Security>()> security, store::Store& store,
             cluster::Model& model, Admit admit, TakeSample take_sample);
  ~MasterTree() override;

  Result<net::Endpoint> listen(const net::Endpoint& at) { return door_.listen(at); }
  void start(Worker& worker);
  void stop();

  [[nodiscard]] tree::CallDispatch& calls() { return calls_; }
  /// Where forwarded API requests arrive.
  [[nodiscard]] tree::ChannelNet& channels() { return channels_; }
  /// Children by "role/name".
  [[nodiscard]] const std::map<std::string, ChildStatus>& children() const { return children_; }
  /// The live link of a child, by "role/name"; null when there is none.
  [[nodiscard]] tree::Link* child(const std::string& key) const { return door_.find(key); }
  [[nodiscard]] SettingsBoard& settings() { return settings_; }
  /// The store's settings are these from now on: acts on them and sends them down the tree.
  void publish(const cluster::SettingBook& book);
  [[nodiscard]] const tree::PathPlanner& planner() const { return planner_; }
  /// The spools in which records are stuck, as their daemons tell.
  [[nodiscard]] std::vector<cluster::SpoolFacts> spools() const;
  /// Who says whether a node that is heard is up; outlives its use here. Before start().
  void use(NodeUpDesk& desk);
  /// That may be another now.
  void reconsider(const std::string& node);
  /// The model has a node (again), from the store. `planned`: it had it before, with this role, so
  /// paths are planned for it already.
  void node_stored(const cluster::Node& node, bool planned = false);
  void node_removed(const std::string& name);
  /// Whom to refuse has changed: tells the aggregators, and cuts the links of our own children that
  /// are refused now.
  void revocations_changed();

 private:
  Status admit(const tree::Introduction& peer, const std::string& key_sha256) override;
  void on_door_ready(tree::Link& link, bool replaced) override;
  void on_door_message(tree::Link& link, tree::MessageType type, std::string_view payload) override;
  void on_door_channel(tree::Link& link, const std::string& kind,
                       std::unique_ptr<tree::Channel> channel) override;
  void on_door_lost(tree::Link& link, const Error& why) override;
  Result<tree::CallRoute> route(const std::string& target) override;

  void on_aggregator_message(tree::Link& link, tree::MessageType type, std::string_view payload);
  void on_utility_message(tree::Link& link, tree::MessageType type, std::string_view payload);
  void on_boot_message(tree::Link& link, tree::MessageType type, std::string_view payload);
  void on_members_digest(tree::Link& link, std::string_view payload);
  void on_members(const std::string& aggregator, std::string_view payload);
  void finish_resync(const std::string& aggregator, const proto::Members& message);
  void on_samples(std::string_view payload);
  void on_heartbeat(const tree::Link& link, std::string_view payload);
  void take_spool(const std::string& daemon, const std::string& told);
  [[nodiscard]] cluster::MemberReport utility_report(const tree::Link& link, bool alive,
                                                     const std::string& why) const;
  void lose_utility(const tree::Link& link, const std::string& why);
  void settle_soon();
  void settle();
  void write_phases(std::vector<cluster::PhaseChange> changes);
  void plan();
  void send_assignments(const std::vector<std::string>& all);
  void send_some_assignments(std::span<const std::string> nodes);
  void assign_all_of(const std::string& aggregator);
  void send_revocations(tree::Link& link);
  void beat(uint64_t sequence);
  void apply(const cluster::Settings& settings);

  Seams seams_;
  MasterTreeConfig config_;
  Log log_;
  tree::LinkContext links_;
  store::Store& store_;
  cluster::Model& model_;
  Admit admit_;
  TakeSample take_sample_;
  LinkDoor door_;
  tree::ChannelNet channels_;
  tree::CallDispatch calls_;
  RecordIntake records_;
  cluster::Liveness liveness_;
  NodeUpDesk* node_up_ = nullptr;
  DoubtfulLosses doubtful_;  ///< of utility daemons
  tree::PathPlanner planner_;
  tree::Heartbeat heartbeat_;
  SettingsBoard settings_;
  std::map<std::string, ChildStatus> children_;
  std::map<std::string, tree::MemberTable> tables_;     ///< our copy of each aggregator's
  std::map<std::string, std::set<std::string>> named_;  ///< during a resync: what was named
  std::map<std::string, cluster::SpoolFacts> spools_;   ///< by "role/name"
  Timer settle_timer_;
  Timer plan_timer_;
  bool settling_ = false;
  bool stopping_ = false;
  MonoTime started_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
