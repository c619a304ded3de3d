// What an agent can learn about its own machine. Real form: the readers of os/host and telemetry;
// simulated form: made-up machines.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "daemons/nodeup/step_host.hpp"
#include "os/machine_end.hpp"

#include <string>

namespace drover::daemons {

class HostFacts {
 public:
  HostFacts() = default;
  HostFacts(const HostFacts&) = delete;
  HostFacts& operator=(const HostFacts&) = delete;
  virtual ~HostFacts() = default;
  /// The machine's parts and summary as JSON (cluster/inventory.hpp reads it). Blocks; called on a
  /// worker, one call at a time.
  virtual Result<std::string> read_inventory() = 0;
  /// The encoded telemetry.Sample of what changed since the last one; `everything` for a whole one
  /// (after a new way up). Quick; called once per heartbeat on the executor.
  virtual std::string sample(bool everything) = 0;
  /// Time between two readings from now on; executor's thread.
  virtual void set_interval(Duration interval) { (void)interval; }
  /// Who takes steps and places files here; null: nobody, and the node is ordered none.
  virtual StepHost* steps() { return nullptr; }
  /// The agent's folder, for what it must remember of them; empty: it remembers nothing.
  virtual std::string state() { return {}; }
  /// Asks the machine's init to end it, and returns; the agent is told to stop soon after.
  virtual Status end_machine(os::MachineEnd how) {
    return fail(Code::unsupported, "this machine cannot " + std::string(os::name(how)));
  }
};

}  // namespace drover::daemons
