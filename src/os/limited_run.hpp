// Runs something in a process group of its own, for a limited time: steps on nodes, hooks on
// managers.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

namespace drover::os {

/// What runs. No shell sees its words; of our own environment it gets nothing.
struct LimitedRun {
  std::vector<std::string> words;        ///< program (looked for in PATH unless it holds a '/')
  std::vector<std::string> environment;  ///< "NAME=VALUE"; PATH is added when it is not there
  Duration limit{};                      ///< then the whole group is killed
  size_t tail = 2048;                    ///< bytes of output that are kept, its end
  const std::atomic<bool>* cancel = nullptr;  ///< set by another thread: it is ended as if late
  /// In place of a program: runs in the child alone, which ends with what it returns (0: good).
  /// System calls that may hang; nothing that allocates or locks.
  Callback<int()> call = {};
};

/// How it ended.
struct RunEnd {
  int status = 0;          ///< exit status; of `call` what it returned; 128 + signal when killed
  bool timed_out = false;  ///< the limit passed
  Duration took{};
  std::string output;  ///< the end of what it wrote to standard output and error, together
  [[nodiscard]] bool good() const { return status == 0 && !timed_out; }
};

/// Runs it with standard input empty and waits, blocking: on a worker. Whoever of its group is left
/// at its end, is killed; who has left the group is not. not_found when there is no such program;
/// io when the system refuses.
Result<RunEnd> run_limited(LimitedRun run);

}  // namespace drover::os
