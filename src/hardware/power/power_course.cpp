#include "hardware/power/power_course.hpp"

#include <utility>

namespace drover::hardware {
namespace {

/// Looks in a row that fail, before a visit that waits for a state gives up.
constexpr int kBlindLooks = 3;

bool is_passing(Code code) {
  return code == Code::unreachable || code == Code::timed_out || code == Code::io;
}

}  // namespace

bool is_arranged(cluster::PowerAction action) {
  return action == cluster::PowerAction::boot_device || action == cluster::PowerAction::identify;
}

PowerCourse::PowerCourse(Executor& executor, PowerWish wish, Done done)
    : executor_(executor), wish_(std::move(wish)), done_(std::move(done)) {}

PowerCourse::~PowerCourse() {
  *alive_ = false;
}

void PowerCourse::seen(Result<cluster::BmcPowerState> state,
                       const std::vector<std::string>& resets) {
  if (!state) {
    const bool again = task_ && is_passing(state.error().code) && ++blind_ < kBlindLooks;
    if (again) return wait(wish_.policy.poll);
    return end(tl::unexpected(std::move(state).error()));
  }
  blind_ = 0;
  outcome_.state = *state;
  if (is_arranged(wish_.action)) return arrange();
  if (!task_) {
    outcome_.resets = resets;
    task_.emplace(wish_.action, wish_.policy, resets);
  }
  step(task_->looked(*state, executor_.now()));
}

void PowerCourse::asked(const Status& answer) {
  const bool unanswered = !answer && (answer.error().code == Code::unreachable ||
                                      answer.error().code == Code::timed_out);
  // Looking tells whether what was not answered was carried out.
  if (answer || unanswered) return step(task_->accepted(executor_.now()));
  step(task_->refused(answer.error(), executor_.now()));
}

void PowerCourse::gave_up(const Error& why) {
  step(task_->refused(why, executor_.now()));
}

void PowerCourse::step(PowerStep next) {
  switch (next.kind) {
    case PowerStep::Kind::look:
      return look();
    case PowerStep::Kind::reset:
      return reset(next.reset);
    case PowerStep::Kind::wait:
      return wait(next.wait);
    case PowerStep::Kind::done:
      return end(outcome_);
    case PowerStep::Kind::failed:
      return end(tl::unexpected(*std::move(next.error)));
  }
}

void PowerCourse::wait(Duration time) {
  timer_.after(executor_, time, [this] { waited(); });
}

void PowerCourse::end(Result<PowerOutcome> result) {
  if (!done_) return;
  timer_.cancel();
  executor_.post(
      [alive = alive_, done = std::exchange(done_, nullptr), result = std::move(result)]() mutable {
        if (*alive) done(std::move(result));
      });
}

}  // namespace drover::hardware
