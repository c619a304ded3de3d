// Which two aggregators serve which node. Pure: facts in, assignments out; the master runs it.
#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

/// An assignment that the master has decided; a higher epoch overrides a lower one.
struct PathAssignment {
  std::string primary;
  std::string secondary;  ///< empty: none
  uint64_t epoch = 0;
  bool operator==(const PathAssignment&) const = default;
};

struct PathPlannerSettings {
  /// How long an aggregator must have been linked before nodes move to it (design section 6), and
  /// how long after the loss of one no node moves but those that lost a path.
  Duration hold = std::chrono::seconds(60);
  /// Nodes under way between primaries at any moment: at least this many ..
  size_t batch_least = 4;
  /// .. and at most this share of all nodes.
  double batch_share = 0.05;
  /// A move that was not confirmed in this time no longer counts as under way.
  Duration move_limit = std::chrono::seconds(10);
  /// Every decision has a higher epoch than this. What an earlier life of the master decided may
  /// lie at an aggregator that nobody has asked: one number must never name two decisions.
  uint64_t epoch_floor = 0;
};

/// The floor of a master's life: its incarnation (Unix ms, never used twice) before 20 bits of
/// counting, so that each life begins above all that the ones before it can have reached.
constexpr uint64_t epoch_floor(uint64_t incarnation) {
  return incarnation << 20;
}

/// Scores of rendezvous hashing (Thaler and Ravishankar 1998): the highest score serves the node;
/// losing an aggregator moves only its own nodes. Stable across versions: it is part of the
/// protocol.
uint64_t rendezvous_score(std::string_view node, std::string_view aggregator);

/// Executor's thread only; time comes in with each call.
class PathPlanner {
 public:
  explicit PathPlanner(PathPlannerSettings settings) : settings_(settings) {}

  /// Other limits from now on; moves that are under way go on.
  void set_settings(const PathPlannerSettings& settings) {
    settings_ = settings;
    dirty_ = true;
  }
  void aggregator_up(const std::string& name, MonoTime now);
  void aggregator_down(const std::string& name, MonoTime now);
  /// A node to serve. `epoch` is the highest epoch seen for it (its hello, a report, the store).
  void add_node(const std::string& node, uint64_t epoch);
  void remove_node(const std::string& node);
  /// What a node really uses, as its aggregators report: `primary` empty when it has none.
  void observe(const std::string& node, const std::string& primary, uint64_t epoch);
  /// Decides; returns the nodes whose assignment is new. Cheap to call often: it looks at the nodes
  /// only after something has changed or when a hold or a move ends.
  std::vector<std::string> plan(MonoTime now);

  [[nodiscard]] const PathAssignment* assignment(const std::string& node) const;
  [[nodiscard]] const std::map<std::string, MonoTime>& aggregators() const { return up_; }
  /// Nodes that are not yet where they belong although their aggregators are stable.
  [[nodiscard]] size_t displaced() const { return displaced_; }
  /// Every node is where it belongs, and neither a hold, a move nor a second try is waited for:
  /// only then does displaced() == 0 say that nothing will move.
  [[nodiscard]] bool at_rest() const {
    return !dirty_ && displaced_ == 0 && next_due_ == MonoTime::max();
  }

 private:
  struct NodeState {
    PathAssignment assigned;
    std::string actual;       ///< primary in use as reported
    MonoTime moving_until{};  ///< a planned move is under way until then
    MonoTime not_before{};    ///< a move failed: it is not tried again until then
    bool overruled = false;   ///< it follows a later decision than ours, of an earlier life of ours
  };
  /// Best and second best among `candidates` for `node`.
  [[nodiscard]] std::pair<std::string, std::string> best_two(
      const std::string& node, const std::vector<std::string>& candidates) const;
  bool repair(const std::string& node, NodeState& state, const std::vector<std::string>& up);
  [[nodiscard]] uint64_t next_epoch(const NodeState& state) const {
    return std::max(state.assigned.epoch, settings_.epoch_floor) + 1;
  }
  /// Where each node belongs, in the order of nodes_; empty when no aggregator is stable yet.
  [[nodiscard]] std::vector<std::string> homes(const std::vector<std::string>& stable) const;

  PathPlannerSettings settings_;
  std::map<std::string, MonoTime> up_;  ///< linked aggregators, since when
  std::map<std::string, NodeState> nodes_;
  size_t displaced_ = 0;
  bool dirty_ = true;
  MonoTime quiet_until_{};
  MonoTime next_due_ = MonoTime::max();  ///< when time alone makes a difference
};

}  // namespace drover::tree
