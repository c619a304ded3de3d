// Runs another program and waits for it: tools that make and read images.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// A program with its arguments; no shell sees them.
struct CommandLine {
  std::string program;                      ///< looked for in PATH unless it holds a '/'
  std::vector<std::string> arguments = {};  ///< without the program's name
  std::vector<std::string> environment =
      {};                      ///< "NAME=VALUE" on top of our own; "NAME" takes one away
  std::string directory = {};  ///< where it runs; empty: here
  /// Hears all of standard output as it comes, where the end of it is not enough.
  Callback<void(std::string_view)> on_output = {};
  /// The same of standard error.
  Callback<void(std::string_view)> on_error = {};
  /// Runs now and then while the program does, about ten times a second, and at its end.
  Callback<void()> progress = {};
};

/// What it said; standard output and error are cut to their last kCommandOutput bytes.
struct CommandOutput {
  std::string out;
  std::string err;
};
inline constexpr size_t kCommandOutput = size_t{64} * 1024;

/// Runs it with standard input empty and waits, blocking. not_found, naming the program, when it is
/// not installed; io, with the end of what it wrote on standard error, when its status is not 0;
/// cancelled when a signal ended it. It is in our process group: what a terminal's Ctrl-C ends,
/// ends with us.
Result<CommandOutput> run_command(CommandLine command);

/// A program that runs beside us and is talked to. What has a descriptor closes it when destroyed;
/// the program itself is waited for by the owner.
struct TalkingProgram {
  int pid = 0;
  UniqueFd end;     ///< pidfd_open(2): readable once it has ended
  UniqueFd talk;    ///< our end of a socket that is its standard input and output; non-blocking
  UniqueFd errors;  ///< the same for its standard error
};

/// Starts one in a session of its own, so that it has no terminal, and with no signal blocked.
/// `on_output`, `on_error` and `progress` are not used. not_found when it is not installed.
Result<TalkingProgram> start_talking(const CommandLine& command);

/// Whether PATH has a program of that name.
bool has_program(std::string_view name);

}  // namespace drover::os
