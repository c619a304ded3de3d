// A console that a program talks to: ipmitool's SOL session, or ssh to a BMC.
#pragma once

#include "base/clock.hpp"
#include "hardware/console/console_line.hpp"
#include "hardware/console/console_programs.hpp"
#include "hardware/ipmi/ipmi_tool.hpp"

#include <cstdint>
#include <string>

namespace drover::hardware {

/// How a program is run and what its words mean.
struct ProgramPlan {
  ConsoleWay way;
  os::CommandLine command;
  /// It has the console once it says this, on standard output (which then begins behind that line)
  /// or on standard error.
  std::string open_words;
  bool opens_on_output = false;
  /// What its last words stand for, from standard error and what came before it was open.
  Callback<Error(std::string_view words)> explain;
  Duration limit = std::chrono::seconds(40);  ///< until it has to be open
};

/// `plan.command` must take '~' at the beginning of a line as ssh(1) and ipmitool(1) do: doubled it
/// stands for itself, followed by B it sends a break.
std::unique_ptr<ConsoleLine> run_console_program(Executor& executor, ConsolePrograms& programs,
                                                 ProgramPlan plan, ConsoleLineEvents events);

/// SOL (IPMI 2.0 section 15) by ipmitool. `cipher`: 17, or 3 for BMCs of before 2015.
ProgramPlan sol_plan(const IpmiAccess& access, int cipher);

/// Where a BMC's SSH is, and what makes a console of it.
struct SshAccess {
  std::string host;
  uint16_t port = 22;
  std::string user;
  std::string password;
  std::string command;      ///< run there: "console com2"; empty: its shell is the console
  std::string known_hosts;  ///< file of the keys that were seen; a new host's is added
  std::string askpass;      ///< program that prints $DROVER_CONSOLE_PASSWORD
};
ProgramPlan ssh_plan(const SshAccess& access);

/// What ssh says when it ends.
Error ssh_error(const SshAccess& access, std::string_view words);
/// What `ipmitool sol activate` says when it ends.
Error sol_error(const IpmiAccess& access, std::string_view words);

/// Doubles what a program would take for an escape of its own. Pure.
class EscapeGuard {
 public:
  std::string guard(std::string_view bytes);
  [[nodiscard]] bool at_line_start() const { return at_start_; }

 private:
  bool at_start_ = true;
};

}  // namespace drover::hardware
