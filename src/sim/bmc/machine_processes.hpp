// Machines behind emulated BMCs that are processes of this host: power on starts one, power off
// ends it, and one that ends by itself is a machine that went off.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "sim/bmc/bmc_fleet.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace drover::sim {

/// Executor's thread only. Destroying it ends all the processes and waits for them.
class MachineProcesses {
 public:
  /// Runs `program NUMBER SYSTEM BOOT` for each machine that is on: the number of its BMC, that of
  /// the machine within it, and what it boots from ("None": as its firmware says). It gets PATH and
  /// what begins with DROVER_ of our own environment. `fleet` and `executor` outlive it.
  MachineProcesses(Executor& executor, const Log& log, std::string program, BmcFleet& fleet);
  MachineProcesses(const MachineProcesses&) = delete;
  MachineProcesses& operator=(const MachineProcesses&) = delete;
  ~MachineProcesses();

 private:
  struct Machine {
    size_t bmc = 0;
    uint32_t system = 0;
    std::unique_ptr<Worker> worker;
    std::shared_ptr<std::atomic<bool>> end = {};  ///< of the process that is to run; null: none is
  };
  void power(Machine& machine, bool on);
  void start(Machine& machine);

  Log log_;
  std::string program_;
  BmcFleet& fleet_;
  std::vector<std::string> environment_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace drover::sim
