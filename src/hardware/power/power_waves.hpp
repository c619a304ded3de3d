// Who may begin when many machines change their power: so many at a time, so many a second, so many
// of one group. Pure.
#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::hardware {

struct PowerLimits {
  uint32_t at_a_time = 100;
  uint32_t per_second = 50;                     ///< that begin; inrush currents add up
  std::map<std::string, uint32_t> groups = {};  ///< at a time, by group
};

/// Gives out places in the order in which machines were added; one that its groups hold up does not
/// hold up those behind it.
class PowerWaves {
 public:
  explicit PowerWaves(PowerLimits limits);

  /// Of the groups of machine `index` those that are limited count.
  void add(size_t index, std::vector<std::string> groups);
  /// The next that begins now. Nothing: none may; wait() says whether time alone will change that.
  std::optional<size_t> next(MonoTime now);
  /// How long until next() may have one because of the limit per second; nothing when it waits for
  /// another to end, or for none.
  [[nodiscard]] std::optional<Duration> wait(MonoTime now) const;
  void ended(size_t index);

  [[nodiscard]] size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] size_t running() const { return running_.size(); }

 private:
  struct Machine {
    size_t index;
    std::vector<std::string> groups;
  };
  [[nodiscard]] bool fits(const Machine& machine) const;
  [[nodiscard]] std::list<Machine>::const_iterator first_that_fits() const;

  PowerLimits limits_;
  std::list<Machine> waiting_;
  std::map<size_t, std::vector<std::string>> running_;
  std::map<std::string, uint32_t> in_group_;
  MonoTime free_at_{};  ///< when the next may begin
  bool begun_ = false;
};

}  // namespace drover::hardware
