// Liveness: merges what every aggregator (and the master's own links) says about nodes into one
// verdict per node. Pure: facts and times in, verdicts and phase changes out.
#pragma once

#include "base/clock.hpp"
#include "cluster/node.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// How a reporter stands to a node (proto/paths.proto, Member.State; the numbers are the same).
enum class MemberState : uint8_t { lost = 0, secondary = 1, primary = 2 };

/// One node as one reporter sees it.
struct MemberReport {
  std::string node;
  NodeRole role = NodeRole::compute;
  uint64_t incarnation = 0;
  uint64_t starts = 0;
  std::string boot_id;
  std::string version;
  std::string address;
  MemberState state = MemberState::lost;
  uint64_t path_epoch = 0;
  WallTime since{};  ///< of the last change of state, by the reporter's clock
  std::string why;   ///< lost: the reason
  bool operator==(const MemberReport&) const = default;
};

/// What all reports together say about a node.
struct Verdict {
  std::string node;
  NodeRole role = NodeRole::compute;
  PhaseState phase = PhaseState::unknown;  ///< up, lost or unknown
  bool confirmed = false;                  ///< a reporter in touch with us vouches for it now
  WallTime since{};
  std::string why;
  std::string who;        ///< the reporter whose word decided; empty: nobody's
  std::string primary;    ///< up: the reporter that carries the node's messages, if any
  std::string secondary;  ///< up: one that stands by, if any
  uint64_t incarnation = 0;
  uint64_t starts = 0;
  std::string boot_id;
  std::string version;
  std::string address;
  bool operator==(const Verdict&) const = default;
};

/// A change of the phase axis that must become durable.
struct PhaseChange {
  std::string node;
  NodeRole role = NodeRole::compute;
  PhaseState to = PhaseState::unknown;
  WallTime since{};
  std::string why;
  std::string who;
  bool operator==(const PhaseChange&) const = default;
};

/// Where a verdict takes a node whose stored phase is `from`: silence ends a halt that was asked
/// for, and whatever the transition table forbids changes nothing.
PhaseState phase_after(PhaseState from, PhaseState verdict);
/// A stored phase as verdicts weigh it: an error that a boot service saw (Phase::who) is a stage of
/// that boot, since no agent runs that could fall silent; what failed stays said.
PhaseState weighed_phase(const Phase& phase);

/// The phase of a node whose agent is heard: up, or on the way there.
struct Gate {
  PhaseState phase = PhaseState::up;  ///< up, node_up or error
  std::string why;                    ///< of the latter two
};
/// Says which, of a verdict whose phase is up. Asked again only when something is said about the
/// node, or Liveness::reconsider() is called.
using AskGate = Callback<Gate(const Verdict&)>;

struct LivenessSettings {
  /// How long a node that nobody vouches for keeps its last phase (unconfirmed) before it becomes
  /// unknown: after a master's start, and after the loss of the reporter that heard it last. Longer
  /// than a failover and a reconnect take.
  Duration grace = std::chrono::seconds(10);
};

/// Rules, in order, for one node:
/// 1. A reporter in touch hears it: up. Of several, those that hear its newest incarnation count;
///    primary is the one that says so with the newest path epoch.
/// 2. It was heard last by reporters that are out of touch: its phase stays, unconfirmed, until the
///    grace has passed, then it is unknown: the loss of an aggregator is never a node's death. But
///    a report of loss that came after that reporter went, or about a newer incarnation, decides.
/// 3. A reporter lost it: lost, since the newest such report.
/// 4. Nobody spoke of it yet: the stored phase, unconfirmed; if that was up, unknown after the
/// grace.
///
/// One thread. `now` never goes back.
class Liveness {
 public:
  /// `wall`: when this master started, for the reason that nodes nobody spoke of are given.
  Liveness(LivenessSettings settings, WallTime wall) : settings_(settings), started_(wall) {}

  /// Asked for every node that is heard, from now on; without one they are all up.
  void set_gate(AskGate gate) { gate_ = std::move(gate); }
  /// The gate's answer about the node may be another now.
  void reconsider(const std::string& node) { dirty_.insert(node); }

  /// The node's durable phase as weighed_phase() has it, at start and whenever it changed or a
  /// write failed.
  void set_durable(const std::string& node, NodeRole role, PhaseState phase);
  /// The node is gone from the model. Reports about it are kept: it may come back.
  void remove(const std::string& node);

  /// A reporter's link is ready. What it said before is stale until it says so again or resynced().
  void reporter_up(const std::string& reporter);
  /// The reporter named nodes for comparison and will now send every member in question: those
  /// that `asked` covers and that it does not send before resynced() are forgotten.
  void resync(const std::string& reporter, Callback<bool(const std::string& node)> asked);
  /// The reporter's knowledge and ours are the same again: everything it holds is fresh.
  void resynced(const std::string& reporter, MonoTime now);
  void report(const std::string& reporter, const MemberReport& member, MonoTime now);
  void forgotten(const std::string& reporter, const std::string& node, MonoTime now);
  /// The same with the reason, which is told while nobody else speaks of the node.
  void left(const std::string& reporter, const std::string& node, const std::string& why,
            WallTime wall);
  /// Its link is lost: its word no longer counts as fresh.
  void reporter_lost(const std::string& reporter, const std::string& why, MonoTime now,
                     WallTime wall);

  struct Outcome {
    std::vector<Verdict> verdicts;     ///< those that differ from before, by name
    std::vector<PhaseChange> durable;  ///< to be written in one mutation, by name
  };
  /// Everything that changed since the last call, graces included. A durable change is given once;
  /// when its write fails, set_durable() with the old phase brings it again.
  Outcome take(MonoTime now);
  /// When take() should be called at the latest although nothing came in.
  [[nodiscard]] std::optional<MonoTime> next_deadline() const;

 private:
  struct Held {
    MemberReport member;
    bool fresh = false;
    bool asked = false;    ///< in question during a resync
    uint64_t arrival = 0;  ///< order of events, for rule 3
  };
  struct Reporter {
    bool up = false;
    std::string why;
    WallTime lost_wall{};
    uint64_t lost_arrival = 0;
    std::set<std::string> nodes;  ///< those with a Held of this reporter
  };
  struct NodeFacts {
    NodeRole role = NodeRole::compute;
    bool in_model = false;
    PhaseState durable = PhaseState::unknown;
    std::map<std::string, Held> held;  ///< by reporter
    /// Halting or rebooting: the incarnation that was told to; hearing it still is no news.
    std::optional<uint64_t> stopping;
    std::optional<MonoTime> unvouched_since;  ///< start of the grace
    std::optional<Verdict> given;             ///< the last verdict handed out
    std::string left_why;                     ///< why the last who spoke of it does so no more
    WallTime left{};
  };

  struct Weighed;
  [[nodiscard]] Weighed weigh(const NodeFacts& facts) const;
  [[nodiscard]] Verdict judge(const NodeFacts& facts, MonoTime now) const;
  static void drop_old_incarnations(Weighed& weighed);
  [[nodiscard]] PhaseState phase_unvouched(const NodeFacts& facts, MonoTime now) const;
  [[nodiscard]] Verdict judge_out_of_touch(const NodeFacts& facts, const Weighed& weighed,
                                           MonoTime now) const;
  [[nodiscard]] Verdict judge_unspoken(const NodeFacts& facts, MonoTime now) const;
  void watch_grace(const std::string& name, NodeFacts& facts, MonoTime now);
  void settle(const std::string& name, NodeFacts& facts, MonoTime now, Outcome& outcome);
  void touch(const Reporter& reporter);

  LivenessSettings settings_;
  AskGate gate_;
  WallTime started_;
  uint64_t arrivals_ = 0;
  std::map<std::string, NodeFacts> nodes_;
  std::map<std::string, Reporter> reporters_;
  std::set<std::string> dirty_;
  std::set<std::pair<MonoTime, std::string>> graces_;  ///< when each ends
};

}  // namespace drover::cluster
