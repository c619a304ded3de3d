// Programs that talk to consoles (ipmitool, ssh): the seam through which they are run, and its real
// form.
#pragma once

#include "base/result.hpp"
#include "net/loop.hpp"
#include "net/net.hpp"
#include "net/real_net.hpp"
#include "os/command.hpp"

#include <list>
#include <memory>

namespace drover::hardware {

/// One that runs. Destroying it closes its input, by which such programs end; one that does not is
/// killed after a while.
class ConsoleProgram {
 public:
  ConsoleProgram() = default;
  ConsoleProgram(const ConsoleProgram&) = delete;
  ConsoleProgram& operator=(const ConsoleProgram&) = delete;
  virtual ~ConsoleProgram() = default;
  /// Its standard input and output.
  virtual net::Stream& talk() = 0;
  /// Its standard error.
  virtual net::Stream& errors() = 0;
};

/// Executor's thread. Tests put programs of their own behind it.
class ConsolePrograms {
 public:
  ConsolePrograms() = default;
  ConsolePrograms(const ConsolePrograms&) = delete;
  ConsolePrograms& operator=(const ConsolePrograms&) = delete;
  virtual ~ConsolePrograms() = default;
  /// not_found when the program is not installed.
  virtual Result<std::unique_ptr<ConsoleProgram>> start(const os::CommandLine& command) = 0;
};

/// Processes of this host. The loop outlives it; it outlives what it started.
class RealConsolePrograms final : public ConsolePrograms {
 public:
  explicit RealConsolePrograms(net::Loop& loop);
  ~RealConsolePrograms() override;
  Result<std::unique_ptr<ConsoleProgram>> start(const os::CommandLine& command) override;

 private:
  class Program;
  struct Child;
  void let_go(std::list<std::unique_ptr<Child>>::iterator child);

  net::Loop& loop_;
  net::RealNet net_;
  std::list<std::unique_ptr<Child>> children_;
};

}  // namespace drover::hardware
