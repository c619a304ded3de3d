#include "sim/faults.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::sim {
namespace {

bool concerns_life(FaultKind kind) {
  return kind == FaultKind::pause || kind == FaultKind::restart || kind == FaultKind::power_cut;
}

FaultKind draw_kind(Random& random, const std::vector<uint32_t>& weights) {
  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  uint64_t lot = random.below(sum);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (lot < weights[i]) return static_cast<FaultKind>(i);
    lot -= weights[i];
  }
  return FaultKind::pause;
}

int64_t draw_amount(Random& random, FaultKind kind) {
  const auto lot = [&](uint64_t from, uint64_t to) {
    return static_cast<int64_t>(from + random.below(to - from + 1));
  };
  switch (kind) {
    case FaultKind::delay_storm:
      return lot(20, 1500);
    case FaultKind::loss:
      return lot(20, 400);
    case FaultKind::slow_link:
      return lot(20'000, 2'000'000);
    case FaultKind::clock_jump:
      return lot(1000, 600'000) * (random.below(2) == 0 ? 1 : -1);
    case FaultKind::slow_disk:
      return lot(20, 800);
    default:
      return 0;
  }
}

std::vector<std::string> draw_others(Random& random, const std::string& host,
                                     const std::vector<FaultTarget>& targets) {
  std::set<std::string> all;
  for (const FaultTarget& target : targets) {
    if (target.host != host) all.insert(target.host);
  }
  // Half of the partitions cut the host off from everybody, the others from a part.
  if (random.below(2) == 0) return {all.begin(), all.end()};
  std::vector<std::string> some;
  for (const std::string& it : all) {
    if (random.below(2) == 0) some.push_back(it);
  }
  return some.empty() ? std::vector<std::string>{all.begin(), all.end()} : some;
}

bool clashes(const Fault& fault, const std::vector<Fault>& plan) {
  if (!concerns_life(fault.kind)) return false;
  return std::any_of(plan.begin(), plan.end(), [&](const Fault& other) {
    return concerns_life(other.kind) && other.target == fault.target &&
           fault.at <= other.at + other.duration && other.at <= fault.at + fault.duration;
  });
}

}  // namespace

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::partition:
      return "partition";
    case FaultKind::one_way:
      return "one-way";
    case FaultKind::delay_storm:
      return "delay-storm";
    case FaultKind::loss:
      return "loss";
    case FaultKind::slow_link:
      return "slow-link";
    case FaultKind::pause:
      return "pause";
    case FaultKind::restart:
      return "restart";
    case FaultKind::power_cut:
      return "power-cut";
    case FaultKind::clock_jump:
      return "clock-jump";
    case FaultKind::slow_disk:
      return "slow-disk";
  }
  return "";
}

std::string Fault::text() const {
  const auto ms = [](Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  };
  std::string out = fmt::format("{} {} for {} ms", name(kind), target, ms(duration));
  if (amount != 0) out += fmt::format(" amount={}", amount);
  if (!others.empty()) out += fmt::format(" from {}", fmt::join(others, ","));
  return out;
}

std::vector<Fault> draw_faults(Random& random, const std::vector<FaultTarget>& targets,
                               const FaultPlanOptions& options) {
  std::vector<Fault> plan;
  for (size_t i = 0; i < options.count && !targets.empty(); ++i) {
    const FaultTarget& target = targets[random.below(targets.size())];
    Fault fault;
    fault.kind = draw_kind(random, options.weights);
    fault.target = target.process;
    fault.duration = random.between(std::chrono::milliseconds(100), options.longest);
    fault.duration = std::min(fault.duration, options.end - options.begin);
    fault.at = random.between(options.begin, options.end - fault.duration);
    fault.amount = draw_amount(random, fault.kind);
    if (fault.kind == FaultKind::partition || fault.kind == FaultKind::one_way) {
      fault.others = draw_others(random, target.host, targets);
    }
    if (clashes(fault, plan)) continue;
    const auto place =
        std::upper_bound(plan.begin(), plan.end(), fault.at,
                         [](Duration at, const Fault& other) { return at < other.at; });
    plan.insert(place, std::move(fault));
  }
  return plan;
}

FaultInjector::FaultInjector(World& world, Fabric& fabric, FaultActions& actions,
                             std::vector<FaultTarget> targets, std::vector<Fault> plan)
    : world_(world), fabric_(fabric), actions_(actions), plan_(std::move(plan)) {
  for (FaultTarget& target : targets) hosts_[std::move(target.process)] = std::move(target.host);
  for (const Fault& fault : plan_) {
    events_.push_back(world_.after(fault.at - world_.now(), [this, &fault] { apply(fault); }));
    events_.push_back(
        world_.after(fault.at + fault.duration - world_.now(), [this, &fault] { lift(fault); }));
  }
}

FaultInjector::~FaultInjector() {
  for (const EventQueue::Id id : events_) world_.cancel(id);
}

std::string FaultInjector::host_of(const std::string& process) const {
  const auto found = hosts_.find(process);
  return found == hosts_.end() ? std::string{} : found->second;
}

void FaultInjector::apply(const Fault& fault) {
  world_.note("fault", fault.text());
  ++applied_;
  network(fault, true);
  life(fault, true);
}

void FaultInjector::lift(const Fault& fault) {
  world_.note("fault", "over: " + fault.text());
  network(fault, false);
  life(fault, false);
  ++lifted_;
}

void FaultInjector::network(const Fault& fault, bool on) {
  const std::string host = host_of(fault.target);
  const auto others = [&](auto&& each) {
    std::set<std::string> seen;
    for (const auto& [process, other] : hosts_) {
      if (other != host && seen.insert(other).second) each(other);
    }
  };
  switch (fault.kind) {
    case FaultKind::partition:
      on ? fabric_.partition({host}, fault.others) : fabric_.heal({host}, fault.others);
      break;
    case FaultKind::one_way:
      for (const std::string& other : fault.others) {
        on ? fabric_.block(host, other) : fabric_.unblock(host, other);
      }
      break;
    case FaultKind::delay_storm:
      others([&](const std::string& other) {
        const Duration most = on ? Duration(std::chrono::milliseconds(fault.amount)) : Duration{};
        fabric_.set_extra_delay(host, other, Duration{}, most);
        fabric_.set_extra_delay(other, host, Duration{}, most);
      });
      break;
    case FaultKind::loss:
      others([&](const std::string& other) {
        const double loss = on ? static_cast<double>(fault.amount) / 1000 : fabric_.options().loss;
        fabric_.set_loss(host, other, loss);
        fabric_.set_loss(other, host, loss);
      });
      break;
    case FaultKind::slow_link:
      others([&](const std::string& other) {
        const uint64_t rate = on ? static_cast<uint64_t>(fault.amount) : 0;
        fabric_.set_bandwidth(host, other, rate);
        fabric_.set_bandwidth(other, host, rate);
      });
      break;
    default:
      break;
  }
}

void FaultInjector::life(const Fault& fault, bool on) {
  SimProcess* process = actions_.process(fault.target);
  switch (fault.kind) {
    case FaultKind::pause:
      if (process != nullptr) on ? process->pause() : process->resume();
      break;
    case FaultKind::restart:
      on ? actions_.stop(fault.target, false) : actions_.start(fault.target);
      break;
    case FaultKind::power_cut:
      if (on) {
        fabric_.set_host_down(host_of(fault.target), true);
        actions_.stop(fault.target, true);
      } else {
        fabric_.set_host_down(host_of(fault.target), false);
        actions_.start(fault.target);
      }
      break;
    case FaultKind::clock_jump:
      if (on && process != nullptr) process->jump_clock(std::chrono::milliseconds(fault.amount));
      break;
    case FaultKind::slow_disk:
      if (process != nullptr) {
        process->set_worker_delay(std::chrono::microseconds(50),
                                  std::chrono::milliseconds(on ? fault.amount : 5));
      }
      break;
    default:
      break;
  }
}

}  // namespace drover::sim
