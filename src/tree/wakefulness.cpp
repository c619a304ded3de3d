// A timer that should fire four times in a silence limit, and how late it does.
#include "tree/wakefulness.hpp"

namespace drover::tree {
namespace {

constexpr int kPartsOfLimit = 4;

}  // namespace

Wakefulness::Wakefulness(Executor& executor, Duration silence_limit)
    : executor_(executor), limit_(silence_limit) {
  if (limit_ > Duration::zero()) arm();
}

void Wakefulness::arm() {
  due_ = executor_.now() + limit_ / kPartsOfLimit;
  timer_.after(executor_, limit_ / kPartsOfLimit, [this] {
    if (overdue()) woke_ = executor_.now();
    arm();
  });
}

bool Wakefulness::overdue() const {
  return limit_ > Duration::zero() && executor_.now() - due_ >= limit_ / kPartsOfLimit;
}

MonoTime Wakefulness::woke() const {
  return overdue() ? executor_.now() : woke_;
}

bool Wakefulness::just_woke() const {
  const MonoTime last = woke();
  return last != MonoTime::min() && executor_.now() - last < limit_;
}

}  // namespace drover::tree
