// What is told of machines that no node is known by: each at once when it is new or says something
// new, and then now and then. In memory.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "cluster/unknown_machine.hpp"

#include <list>
#include <map>
#include <string>

namespace drover::daemons {

/// Bounds what a flood of made-up MACs may cost the store. One thread.
class SightingBook {
 public:
  struct Limits {
    Duration again = std::chrono::minutes(5);   ///< between two that say nothing new
    size_t burst = 64;                          ///< new ones at once ..
    Duration refill = std::chrono::seconds(2);  ///< .. and then one each
    size_t machines = cluster::kMostUnknown;
  };
  using Report = Callback<void(const cluster::Sighting&)>;

  SightingBook(Clock& clock, Report report) : SightingBook(clock, std::move(report), Limits()) {}
  SightingBook(Clock& clock, Report report, Limits limits)
      : clock_(clock), limits_(limits), report_(std::move(report)), tokens_(limits.burst) {}

  /// A packet; `at` and `count` are filled in here.
  void seen(cluster::Sighting sighting);
  /// It is known now, or was forgotten by somebody: its next packet is told at once.
  void forget(const std::string& mac);

 private:
  struct Machine {
    cluster::Sighting last;
    MonoTime told{};
    bool was_told = false;
    uint64_t untold = 0;
    std::list<std::string>::iterator place;
  };

  bool may_tell();

  Clock& clock_;
  Limits limits_;
  Report report_;
  size_t tokens_;
  MonoTime filled_{};
  std::map<std::string, Machine> machines_;
  std::list<std::string> order_;  ///< the one heard last in front
};

}  // namespace drover::daemons
