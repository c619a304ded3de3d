#include "hardware/power/power_waves.hpp"

#include <algorithm>
#include <utility>

namespace drover::hardware {

PowerWaves::PowerWaves(PowerLimits limits) : limits_(std::move(limits)) {
  limits_.at_a_time = std::max(limits_.at_a_time, 1U);
  limits_.per_second = std::max(limits_.per_second, 1U);
}

void PowerWaves::add(size_t index, std::vector<std::string> groups) {
  std::erase_if(groups, [this](const auto& group) { return !limits_.groups.contains(group); });
  waiting_.push_back({index, std::move(groups)});
}

bool PowerWaves::fits(const Machine& machine) const {
  return std::ranges::all_of(machine.groups, [this](const std::string& group) {
    const auto now = in_group_.find(group);
    return now == in_group_.end() || now->second < std::max(limits_.groups.at(group), 1U);
  });
}

std::list<PowerWaves::Machine>::const_iterator PowerWaves::first_that_fits() const {
  if (running_.size() >= limits_.at_a_time) return waiting_.end();
  return std::ranges::find_if(waiting_, [this](const Machine& m) { return fits(m); });
}

std::optional<size_t> PowerWaves::next(MonoTime now) {
  if (begun_ && now < free_at_) return std::nullopt;
  const auto found = first_that_fits();
  if (found == waiting_.end()) return std::nullopt;
  const Duration apart = Duration(std::chrono::seconds(1)) / limits_.per_second;
  // No more than one moment of credit: a pause does not allow a crowd afterwards.
  free_at_ = (begun_ ? std::max(free_at_, now - apart) : now) + apart;
  begun_ = true;
  for (const std::string& group : found->groups) ++in_group_[group];
  const size_t index = found->index;
  running_.emplace(index, found->groups);
  waiting_.erase(found);
  return index;
}

std::optional<Duration> PowerWaves::wait(MonoTime now) const {
  if (first_that_fits() == waiting_.end()) return std::nullopt;
  return std::max(Duration::zero(), free_at_ - now);
}

void PowerWaves::ended(size_t index) {
  const auto found = running_.find(index);
  if (found == running_.end()) return;
  for (const std::string& group : found->second) --in_group_[group];
  running_.erase(found);
}

}  // namespace drover::hardware
