// The Loop's Worker: one thread with a queue of jobs.
#pragma once

#include "base/clock.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace drover::net {

/// Jobs run on a thread of its own with all signals blocked (they belong to the loop's thread). A
/// job's closure is destroyed on the worker after it ran, `done`'s on the executor's thread.
class LoopWorker final : public Worker {
 public:
  LoopWorker(Executor& executor, std::string_view name);
  ~LoopWorker() override;
  void run(Callback<void()> job, Callback<void()> done) override;

 private:
  struct Item {
    Callback<void()> job;
    Callback<void()> done;
  };
  void work();

  Executor& executor_;
  std::string name_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< executor's thread only
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> items_;  ///< guarded by mutex_
  bool stopping_ = false;   ///< guarded by mutex_
  std::thread thread_;      ///< last: it uses all of the above
};

}  // namespace drover::net
