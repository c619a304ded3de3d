// Calls in an aggregator: one call fans out to the linked nodes, their answers are folded and go up
// as they come.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "tree/call.hpp"
#include "tree/peers.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::proto {
class Call;
}

namespace drover::tree {

class CallRunner;
struct Answer;
struct CallHead;

/// One executor's thread only.
///
/// A master that lost its link sends the call again with the same id: the relay answers again all
/// it has gathered and goes on. Ended calls are kept for that until their deadline, within the
/// limits; a call that was forgotten fans out again, and the nodes answer from memory.
class CallRelay {
 public:
  struct Limits {
    size_t calls = 1024;                    ///< gathering at once; more are unreached(exhausted)
    size_t ended = 256;                     ///< ended calls kept for a master that comes back
    size_t ended_bytes = size_t{64} << 20;  ///< their results together
    Duration first_flush = std::chrono::milliseconds(20);
    Duration slowest_flush = std::chrono::milliseconds(320);  ///< the interval doubles up to this
    Duration cancel_grace = std::chrono::milliseconds(800);
  };

  /// `own` carries out the calls without targets (for the aggregator itself); may be null. The
  /// references outlive this object.
  CallRelay(Executor& executor, const Log& log, Peers& masters, Peers& nodes, CallRunner* own,
            const Limits& limits);
  ~CallRelay();
  CallRelay(const CallRelay&) = delete;
  CallRelay& operator=(const CallRelay&) = delete;

  /// call, call_cancel of a master.
  void on_call(const std::string& master, std::string_view payload);
  void on_cancel(const std::string& master, std::string_view payload);
  /// call_answer of a node.
  void on_answer(const std::string& node, std::string_view payload);
  /// The node's link is gone, or replaced by a newer one: what it has not answered is handed back.
  void on_node_lost(const std::string& node, const Error& why);
  void on_master_lost(const std::string& master);

  [[nodiscard]] size_t gathering() const;

 private:
  struct Gathering;
  using CallPtr = std::shared_ptr<Gathering>;

  void attach(Gathering& call, const std::string& master);
  static void detach(Gathering& call);
  void admit(Gathering& call, const std::vector<std::string>& targets, const proto::Call& message);
  void fan_out(Gathering& call, const std::vector<uint32_t>& nodes, const CallHead& head);
  void settle(Gathering& call);
  void flush(Gathering& call);
  void expire(Gathering& call);
  void retire(Gathering& call);
  void unretire(Gathering& call);
  void refuse(const std::string& master, std::string_view id,
              const std::vector<std::string>& targets, const Error& why);
  [[nodiscard]] std::vector<CallPtr> active() const;

  Executor& executor_;
  Log log_;
  Peers& masters_;
  Peers& nodes_;
  CallRunner* own_;
  Limits limits_;
  std::map<std::string, CallPtr, std::less<>> calls_;
  std::list<std::string> ended_;  ///< ids, the oldest first
  size_t ended_bytes_ = 0;
};

}  // namespace drover::tree
