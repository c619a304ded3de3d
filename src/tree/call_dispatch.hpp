// Calls in the master: each target's way is looked up, aggregators get their share, progressive
// groups are merged, lost ways are tried again elsewhere, and every target ends exactly once.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "tree/call.hpp"
#include "tree/peers.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

struct Answer;

/// The way to one target now.
struct CallRoute {
  std::string via;  ///< the linked peer to hand the call to: an aggregator, or the target itself
  bool direct = false;  ///< `via` is the target itself (an aggregator, a utility daemon)
};

/// Where targets are reached, as the master's path table says.
class CallRoutes {
 public:
  CallRoutes() = default;
  CallRoutes(const CallRoutes&) = delete;
  CallRoutes& operator=(const CallRoutes&) = delete;
  virtual ~CallRoutes() = default;
  /// not_found for a name that is no target; unreachable with the reason when there is no way now.
  virtual Result<CallRoute> route(const std::string& target) = 0;
};

/// One executor's thread only. Callbacks never run inside start() or cancel().
class CallDispatch {
 public:
  struct Limits {
    size_t calls = 256;  ///< running at once
    /// How long a target whose way broke may wait for another one (and never past the deadline).
    Duration rehome_wait = std::chrono::seconds(5);
    /// The same for one whose aggregator says that it never had a link to it: the path table is
    /// about to learn that.
    Duration reroute_wait = std::chrono::seconds(1);
    Duration retry_interval = std::chrono::milliseconds(250);
    /// After cancel(): time for the true outcomes to come up.
    Duration cancel_grace = std::chrono::seconds(1);
  };
  /// Groups that are new since the last progress, with the totals so far.
  using Progress = Callback<void(const CallReport& fresh)>;
  /// Everything, merged; once.
  using Done = Callback<void(CallReport report)>;

  /// The references outlive this object.
  CallDispatch(Executor& executor, const Log& log, CallRoutes& routes, Peers& links,
               const Limits& limits);
  ~CallDispatch();
  CallDispatch(const CallDispatch&) = delete;
  CallDispatch& operator=(const CallDispatch&) = delete;

  /// Starts a call. Errors, with nothing sent and no callback: invalid_argument, too_large,
  /// already_exists (this id is running), exhausted. `progress` may be empty.
  Status start(CallSpec spec, Progress progress, Done done);
  /// Tells every hop to stop; targets that do not answer within the grace end as failed(cancelled).
  /// not_found when no such call is running.
  Status cancel(const std::string& id);

  /// A call_answers message of an aggregator.
  void on_answers(const std::string& via, std::string_view payload);
  /// A call_answer message of a direct target.
  void on_answer(const std::string& via, std::string_view payload);
  /// The link to `via` is gone: its unanswered targets wait for another way.
  void on_link_lost(const std::string& via, const Error& why);
  /// Paths or links have changed: waiting targets are tried at once (they are anyway, now and
  /// then).
  void paths_changed();

  [[nodiscard]] size_t running() const;

 private:
  struct Running;
  using CallPtr = std::shared_ptr<Running>;
  using Nodes = std::vector<uint32_t>;

  void place(Running& call, const Nodes& nodes, const std::string* not_via);
  void hand_over(Running& call, const std::string& via, bool direct, bool again,
                 const Nodes& nodes);
  void strand(Running& call, uint32_t node, const Error& why, bool maybe_sent);
  void end(Running& call, uint32_t node, Answer answer);
  void give_up(Running& call, uint32_t node);
  void give_up_late(Running& call, const Nodes& nodes);
  void try_stranded(Running& call);
  void take_group(Running& call, const std::string& via, const Nodes& nodes, const Answer& answer);
  void expire(Running& call);
  void settle(Running& call);
  void deliver(const CallPtr& call);
  [[nodiscard]] std::vector<CallPtr> all() const;

  Executor& executor_;
  Log log_;
  CallRoutes& routes_;
  Peers& links_;
  Limits limits_;
  std::map<std::string, CallPtr> calls_;
};

}  // namespace drover::tree
