// Files of running nodes: who has which, and sending what has changed.
#pragma once

#include "api/node_up_source.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "cluster/liveness.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"
#include "tree/call_dispatch.hpp"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace drover::daemons {

/// Kind of what is remembered of each node's files, by node. Bookkeeping: in no log and no feed.
inline constexpr std::string_view kAppliedOverlayKind = "overlay-applied";

/// Executor's thread. A node is sent its files when they differ from what it last took in this
/// boot; nodes with the same files by one call. What each took is kept in the store, so that a
/// master that was restarted sends nothing twice.
class OverlayDesk {
 public:
  /// References outlive it.
  struct Parts {
    Executor& executor;
    Random& random;
    Log log;
    store::Store& store;
    const cluster::Model& model;
    tree::CallDispatch& calls;
    std::string author;
  };
  explicit OverlayDesk(Parts parts) : parts_(std::move(parts)) {}

  /// Takes over what nodes took, as the store kept it: objects of kind kAppliedOverlayKind.
  Status restore(const std::vector<store::Object>& objects);
  /// Changes that the model has taken already.
  void follow(std::span<const store::Change> changes);
  /// The node's agent is heard, and it may be sent files.
  void heard(const std::string& node);
  [[nodiscard]] api::OverlayState state(const std::string& node) const;

 private:
  struct Applied;
  void look_soon();
  void look();
  void look_at(const std::string& node);
  void send_some();
  void send(std::string payload, std::set<std::string> nodes);
  void answered(const std::string& digest, size_t files, const tree::CallReport& report);
  void save(const std::string& node);
  void retry_later();

  Parts parts_;
  std::map<std::string, Applied> applied_;
  std::set<std::string> dirty_;                         ///< to be looked at
  std::set<std::string> failed_;                        ///< to be looked at again in a while
  std::map<std::string, std::set<std::string>> ready_;  ///< nodes by the payload they shall get
  std::set<std::string> under_way_;                     ///< nodes with a call
  size_t calls_ = 0;
  bool looking_ = false;
  Timer retry_;
  bool retrying_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// What a node took last. Kept in the store by node, as bookkeeping.
struct OverlayDesk::Applied {
  static constexpr std::string_view kTypeName = "AppliedOverlay";
  std::string boot_id;
  std::string digest;  ///< of the order; empty: it has not all of it
  uint32_t files = 0;
  WallTime at{};
  std::string why;      ///< what failed last
  bool reached = true;  ///< false: the call did not reach it
  void describe(Visitor& v);
};

}  // namespace drover::daemons
