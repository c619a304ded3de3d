#include "hardware/redfish/bmc_ground.hpp"

#include "net/sha256.hpp"

#include <algorithm>

namespace drover::hardware {
namespace {

std::string digest(std::string_view user, std::string_view password) {
  std::string both(user);
  both.push_back('\0');
  both += password;
  return net::sha256_hex(both);
}

}  // namespace

BmcGround::BmcGround(Executor& executor, net::Net& net, Random& random, size_t in_flight)
    : executor_(executor), net_(net), random_(random), limit_(std::max<size_t>(in_flight, 1)) {}

BmcGround::~BmcGround() = default;

bool BmcGround::take(const Waiter& waiter) {
  if (taken_ < limit_) {
    ++taken_;
    return true;
  }
  waiting_.push_back(waiter);
  return false;
}

void BmcGround::give() {
  while (!waiting_.empty()) {
    const Waiter next = waiting_.front().lock();
    waiting_.pop_front();
    if (next == nullptr) continue;
    // The place goes on to it; from a fresh stack, since whoever gives is in the middle of things.
    executor_.post([this, ground = std::weak_ptr<bool>(alive_), weak = std::weak_ptr(next)] {
      if (ground.expired()) return;
      if (const Waiter waiter = weak.lock()) return (*waiter)();
      give();
    });
    return;
  }
  --taken_;
}

bool BmcGround::was_refused(const std::string& bmc, std::string_view user,
                            std::string_view password) const {
  const auto found = refused_.find(bmc);
  return found != refused_.end() && found->second == digest(user, password);
}

void BmcGround::note_refused(const std::string& bmc, std::string_view user,
                             std::string_view password) {
  refused_[bmc] = digest(user, password);
}

}  // namespace drover::hardware
