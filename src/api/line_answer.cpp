#include "api/line_answer.hpp"

namespace drover::api {
namespace {

constexpr size_t kHighWater = size_t{256} << 10;

}  // namespace

bool LineAnswer::begin(Request& request) {
  answer_ = request.take_stream();
  if (answer_ == nullptr) return false;
  answer_->begin(200, {{"Content-Type", std::string(kJsonLines)}, {"Cache-Control", "no-store"}});
  answer_->on_gone([this] {
    drop();
    if (events_.left) events_.left();
  });
  answer_->on_drained([this] {
    if (events_.drained) events_.drained();
  });
  beat();
  return true;
}

void LineAnswer::write(std::string_view line) {
  if (answer_ == nullptr) return;
  answer_->write(std::string(line) + "\n");
}

bool LineAnswer::full() const {
  return answer_ != nullptr && answer_->unsent() > kHighWater;
}

void LineAnswer::end() {
  if (answer_ != nullptr) answer_->end();
  drop();
}

void LineAnswer::beat() {
  timer_.after(executor_, kPulse, [this] {
    beat();
    if (events_.pulse) events_.pulse();
  });
}

/// Not in the answer's own event.
void LineAnswer::drop() {
  timer_.cancel();
  if (answer_ == nullptr) return;
  answer_->on_gone({});
  answer_->on_drained({});
  executor_.post([held = std::shared_ptr<Answer>(std::move(answer_))] {});
}

}  // namespace drover::api
