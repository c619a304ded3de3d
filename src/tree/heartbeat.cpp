#include "tree/heartbeat.hpp"

namespace drover::tree {

Heartbeat::Heartbeat(Executor& executor, Duration interval, Callback<void(uint64_t)> beat)
    : executor_(executor), interval_(interval), beat_(std::move(beat)) {}

void Heartbeat::start() {
  started_ = true;
  arm(Duration::zero());
}

void Heartbeat::stop() {
  started_ = false;
  timer_.cancel();
  alive_ = std::make_shared<bool>(true);  // answers still under way belong to the old life
  waiting_ = 0;
}

void Heartbeat::set_interval(Duration interval) {
  if (interval == interval_) return;
  interval_ = interval;
  // A round that waits for its workers arms the next one itself.
  if (!started_ || waiting_ > 0) return;
  const Duration spent = executor_.now() - round_start_;
  arm(spent < interval_ ? interval_ - spent : Duration::zero());
}

void Heartbeat::arm(Duration wait) {
  timer_.after(executor_, wait, [this] { round(); });
}

Duration Heartbeat::late() const {
  return waiting_ == 0 ? Duration::zero() : executor_.now() - round_start_;
}

void Heartbeat::round() {
  round_start_ = executor_.now();
  if (workers_.empty()) {
    arm(interval_);
    beat_(++sequence_);
    return;
  }
  waiting_ = workers_.size();
  for (Worker* worker : workers_) {
    worker->run([] {},
                [this, alive = std::weak_ptr<bool>(alive_)] {
                  if (alive.expired() || --waiting_ > 0) return;
                  const Duration spent = executor_.now() - round_start_;
                  arm(spent < interval_ ? interval_ - spent : Duration::zero());
                  beat_(++sequence_);
                });
  }
}

}  // namespace drover::tree
