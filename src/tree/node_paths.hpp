// A node's two warm links to its aggregators: which are dialled, which one is primary, and the
// switch between them. The node decides at once when its primary is lost; the master decides the
// rest.
#pragma once

#include "net/net.hpp"
#include "tree/uplink.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace drover::proto {
class PathSet;
}

namespace drover::tree {

class NodePathsEvents {
 public:
  NodePathsEvents() = default;
  NodePathsEvents(const NodePathsEvents&) = delete;
  NodePathsEvents& operator=(const NodePathsEvents&) = delete;
  virtual ~NodePathsEvents() = default;
  /// The primary is now `link`, or none (nullptr): replay what was not acknowledged.
  virtual void on_primary(Link* link) = 0;
  /// Any message but those of the paths, from either link.
  virtual void on_path_message(Link& link, MessageType type, std::string_view payload) = 0;
  /// A link (primary or not) went away, after the switch if there was one.
  virtual void on_path_lost(Link& link) = 0;
};

struct NodePathsStatus {
  struct Slot {
    std::string aggregator;
    UplinkStatus link;
    bool primary = false;
  };
  std::vector<Slot> slots;
  uint64_t epoch = 0;
};

/// Executor's thread only.
class NodePaths final : public UplinkEvents {
 public:
  /// `seeds`: endpoints of any aggregators, from joining; tried in drawn order until a path
  /// decision arrives. `epoch` in context.links.self is kept current.
  NodePaths(UplinkContext& context, std::vector<net::Endpoint> seeds, NodePathsEvents& events);
  ~NodePaths() override;

  void start();
  /// Says goodbye on both links.
  void stop(const Error& why);
  [[nodiscard]] Link* primary() { return primary_; }
  /// The ready link to that aggregator, primary or not.
  [[nodiscard]] Link* find(const std::string& aggregator);
  /// Sends one encoded message on every ready link (heartbeats).
  void send_all(MessageType type, std::string_view payload_primary, std::string_view payload_other);
  /// New links with the current certificate, the secondary first.
  void refresh();
  [[nodiscard]] NodePathsStatus status() const;
  /// See Link::judge_anew().
  void judge_anew() {
    for (const auto& slot : slots_) slot->uplink->judge_anew();
  }

 private:
  struct Target {
    std::string name;  ///< empty for a seed whose name is not known yet
    std::vector<net::Endpoint> endpoints;
  };
  struct Slot {
    std::unique_ptr<Uplink> uplink;
    Target target;
    bool retiring = false;  ///< serves until the new primary is ready, then closes
  };

  void on_uplink_ready(Link& link) override;
  void on_uplink_message(Link& link, MessageType type, std::string_view payload) override;
  void on_uplink_lost(Link& link, const Error& why) override;
  void on_uplink_replaced(Link& old, Link& fresh) override;
  void on_path_set(const proto::PathSet& set);
  /// Gives `target` a slot, its present one if it has one.
  void aim(Target target);
  void retire_others();
  void choose();
  /// With no link left any aggregator will do: the seeds are dialled beside the named ones. At
  /// once, unless the last path was short: aggregators that take a node only to send it away again
  /// are asked with back-off.
  void look_anywhere();
  void dial_seeds();
  /// Two slots that reached one aggregator become one, or each link would replace the other's.
  void absorb_twin(Slot& own);
  void drop(std::unique_ptr<Slot> slot, const char* why);
  void make_primary(Link* link);
  void tell_role(Link& link, bool primary);
  Slot& add_slot(Target target);
  Slot* slot_of(const Link& link);

  UplinkContext& context_;
  std::vector<net::Endpoint> seeds_;
  NodePathsEvents& events_;
  std::vector<std::unique_ptr<Slot>> slots_;
  Link* primary_ = nullptr;
  MonoTime primary_since_{};
  Backoff search_backoff_;
  Timer search_;
  std::string desired_primary_;
  std::string desired_secondary_;
  uint64_t epoch_ = 0;
  bool follow_desired_ = false;  ///< a decision newer than our own last switch
  bool started_ = false;
};

}  // namespace drover::tree
