// What all clients of BMCs share: the seams, the limit of requests at a time, and the passwords
// that were refused.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/net.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace drover::hardware {

/// Executor's thread only; outlives its clients.
class BmcGround {
 public:
  /// `in_flight`: requests to all BMCs together at a time, at least 1.
  BmcGround(Executor& executor, net::Net& net, Random& random, size_t in_flight);
  BmcGround(const BmcGround&) = delete;
  BmcGround& operator=(const BmcGround&) = delete;
  ~BmcGround();

  [[nodiscard]] Executor& executor() { return executor_; }
  [[nodiscard]] net::Net& net() { return net_; }
  [[nodiscard]] Random& random() { return random_; }

  /// Somebody who waits for a place; forgets the wait when it dies.
  using Waiter = std::shared_ptr<Callback<void()>>;
  /// True: a place was free and is the caller's. False: `waiter` will be called, once, when one is;
  /// it then has it. Places are given in the order in which they were asked for.
  bool take(const Waiter& waiter);
  /// Gives a place back.
  void give();
  [[nodiscard]] size_t in_flight() const { return taken_; }

  /// A password that a BMC refused is not tried again there: a few wrong ones lock accounts. Kept
  /// as a digest until another one works or forget() is called.
  [[nodiscard]] bool was_refused(const std::string& bmc, std::string_view user,
                                 std::string_view password) const;
  void note_refused(const std::string& bmc, std::string_view user, std::string_view password);
  void forget_refused(const std::string& bmc) { refused_.erase(bmc); }

 private:
  Executor& executor_;
  net::Net& net_;
  Random& random_;
  size_t limit_;
  size_t taken_ = 0;
  std::deque<std::weak_ptr<Callback<void()>>> waiting_;
  std::map<std::string, std::string> refused_;  ///< endpoint to digest
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::hardware
