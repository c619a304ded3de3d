// Calls on the daemon that carries them out: a registry of methods, each id run once, its answer
// kept so that the same call coming by another way is answered, not run again.
#pragma once

#include "base/callback.hpp"
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

namespace drover::tree {

/// One call as its handler sees it.
struct CallRequest {
  std::string id;
  std::string payload;
  MonoTime deadline{};
};

/// Takes the outcome of one call; on the executor's thread. Dropping it unused answers
/// failed(internal).
using CallReply = Callback<void(Result<std::string>)>;
using CallHandler = Callback<void(CallRequest, CallReply)>;

/// Whether a method may be run a second time when this daemon has restarted in between and cannot
/// know whether it ran: reading is harmless, acting is not (it then ends as failed(conflict)).
enum class Repeat { harmless, never };

/// One executor's thread only.
class CallRunner {
 public:
  struct Limits {
    size_t running = 256;      ///< at once; more are failed(exhausted)
    size_t remembered = 4096;  ///< ended calls whose id is known
    size_t answer_bytes =
        4U << 20;  ///< results kept; the oldest are forgotten first, their ids not
    Duration remember_for = std::chrono::minutes(10);
  };

  /// `askers` are the links that calls come from; it outlives this object.
  CallRunner(Executor& executor, const Log& log, Peers& askers, const Limits& limits);
  ~CallRunner();
  CallRunner(const CallRunner&) = delete;
  CallRunner& operator=(const CallRunner&) = delete;

  /// Registers a method. `cancelled`, when given, hears the id of a running call that nobody waits
  /// for any more (cancelled, or past its deadline); the reply is then ignored.
  void handle(std::string method, Repeat repeat, CallHandler handler,
              Callback<void(const std::string& id)> cancelled = nullptr);

  /// A call message from the link `asker`.
  void on_call(const std::string& asker, std::string_view payload);
  /// A call_cancel message. Unknown ids are ignored.
  void on_cancel(std::string_view payload);

  [[nodiscard]] size_t running() const { return running_; }

 private:
  struct Method;
  struct Entry;
  struct Ticket;
  using EntryPtr = std::shared_ptr<Entry>;

  void run(const EntryPtr& entry, Method& method, std::string payload);
  void finish(const std::string& id, Outcome outcome, Result<std::string> result);
  void answer(Entry& entry);
  void forget_old();

  Executor& executor_;
  Log log_;
  Peers& askers_;
  Limits limits_;
  MonoTime started_;
  std::map<std::string, std::unique_ptr<Method>, std::less<>> methods_;
  std::map<std::string, EntryPtr, std::less<>> entries_;
  std::list<std::string> ended_;     ///< ids in the order in which they ended
  std::list<std::string> answered_;  ///< those of them whose result is still kept
  size_t kept_bytes_ = 0;
  size_t running_ = 0;
  std::shared_ptr<CallRunner*> self_;  ///< emptied when this is gone, for tickets that outlive it
};

}  // namespace drover::tree
