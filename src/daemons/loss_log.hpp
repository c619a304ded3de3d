// The log of lost nodes: one line for many that go at once.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::daemons {

/// A loss is told within 200 ms; while more follow, one line each five seconds tells the rest. A
/// line names the nodes folded, how many they are and the commonest reason. Executor's thread only.
class LossLog {
 public:
  LossLog(Executor& executor, const Log& log) : executor_(executor), log_(log) {}
  void lost(const std::string& node, const Error& why);

 private:
  void tell();

  static constexpr Duration kGather = std::chrono::milliseconds(200);
  static constexpr Duration kBetween = std::chrono::seconds(5);

  Executor& executor_;
  Log log_;
  std::map<std::string, std::vector<std::string>> nodes_;  ///< by reason
  bool armed_ = false;
  bool told_ = false;
  MonoTime last_{};
  Timer timer_;
};

}  // namespace drover::daemons
