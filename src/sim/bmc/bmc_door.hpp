// Who is let in to an emulated BMC: basic authentication, sessions, and the lock after wrong
// passwords.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/http/http.hpp"
#include "sim/bmc/bmc_traits.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::sim {

class BmcDoor {
 public:
  /// The references outlive it.
  BmcDoor(const BmcTraits& traits, Clock& clock, Random& random)
      : traits_(traits), clock_(clock), random_(random) {}

  /// Whether `request` carries a password or session that is right.
  bool admits(const net::HttpRequest& request);
  /// A new session's token for the right password; empty for a wrong one.
  std::string open_session(std::string_view user, std::string_view password);
  void close_session(std::string_view token) { sessions_.erase(std::string(token)); }
  void forget_sessions() { sessions_.clear(); }

  [[nodiscard]] bool locked() const;
  [[nodiscard]] uint32_t wrong_passwords() const { return wrong_; }
  [[nodiscard]] size_t sessions() const { return sessions_.size(); }

 private:
  bool right(std::string_view user, std::string_view password);

  const BmcTraits& traits_;
  Clock& clock_;
  Random& random_;
  uint32_t wrong_ = 0;
  std::map<std::string, MonoTime> sessions_;  ///< by token: when it was used last
};

}  // namespace drover::sim
