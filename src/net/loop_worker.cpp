// LoopWorker: takes jobs in order, hands `done` back to the executor.
#include "net/loop_worker.hpp"

#include <csignal>
#include <utility>

#include <pthread.h>

namespace drover::net {

LoopWorker::LoopWorker(Executor& executor, std::string_view name)
    : executor_(executor), name_(name.substr(0, 15)) {
  // The new thread inherits this mask: set before it exists, so that no signal slips in between.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LoopWorker::~LoopWorker() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LoopWorker::run(Callback<void()> job, Callback<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    items_.push_back({std::move(job), std::move(done)});
  }
  wake_.notify_one();
}

void LoopWorker::work() {
  pthread_setname_np(pthread_self(), name_.c_str());
  for (;;) {
    Item item;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !items_.empty(); });
      if (stopping_) return;
      item = std::move(items_.front());
      items_.pop_front();
    }
    item.job();
    item.job = nullptr;
    executor_.post_from_any_thread([alive = alive_, done = std::move(item.done)]() mutable {
      if (*alive && done) done();
    });
  }
}

}  // namespace drover::net
