// The running machine as an agent sees it.
#pragma once

#include "base/clock.hpp"
#include "daemons/host_facts.hpp"
#include "telemetry/collector.hpp"

#include <string>

namespace drover::daemons {

/// Executor's thread, but for read_inventory().
class RealHostFacts final : public HostFacts {
 public:
  /// `steps` outlives it; null: this daemon takes none.
  explicit RealHostFacts(Executor& executor, StepHost* steps = nullptr, std::string state = {});
  StepHost* steps() override { return steps_; }
  std::string state() override { return state_; }
  Result<std::string> read_inventory() override;
  std::string sample(bool everything) override { return collector_.sample(everything); }
  void set_interval(Duration interval) override { collector_.set_interval(interval); }
  Status end_machine(os::MachineEnd how) override { return os::end_machine(how); }

 private:
  StepHost* steps_;
  std::string state_;
  telemetry::HostMetricSource source_;
  telemetry::Collector collector_;
};

}  // namespace drover::daemons
