// PID 1: keeps one child running, which does all the work, buries the dead, and ends the machine.
// It does next to nothing itself, since the kernel panics when it ends.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace drover::nodeboot {

/// What the child's exit status asks PID 1 for. Every other end of the child is a failure: it is
/// started again, after a wait that grows.
enum class Request : uint8_t {
  reboot = 64,
  halt = 65,
  poweroff = 66,
  switch_root = 67,  ///< hand the machine to the init of the image that is mounted
};

/// What the keeper does at the end; replaced in tests, where the machine is to live on.
struct KeeperActions {
  /// reboot(2) or what stands for it; should not return.
  std::function<void(Request)> end_machine;
  /// Makes the image the root and runs its init in place of this process; returns only when that
  /// failed.
  std::function<Status()> switch_root;
  /// A line for the console.
  std::function<void(const std::string&)> say;
};

struct KeeperTimes {
  int first_wait_ms = 500;
  int longest_wait_ms = 30'000;
  /// For the child, then for all others, to end by themselves when the machine is to end.
  int stop_limit_ms = 10'000;
};

/// Runs `child` in a child process again and again. SIGTERM (ctrl-alt-del is made to be SIGINT)
/// reboots, SIGUSR1 halts, SIGUSR2 powers off: first the child is asked to end by SIGTERM. Returns
/// only where end_machine() does. Call as PID 1, before there are threads.
void keep(const std::function<int()>& child, const KeeperActions& actions, KeeperTimes times = {});

/// The real ends of a machine: sync(2) and reboot(2).
void end_machine(Request how);

}  // namespace drover::nodeboot
