// What surrounds one run of the command line: arguments, environment, terminal and the seams, so
// that tests run whole commands inside their process.
#pragma once

#include "base/callback.hpp"
#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "net/loop.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct Surroundings {
  Surroundings(net::Loop& loop_in, Disk& disk_in, Random& random_in)
      : loop(loop_in), disk(disk_in), random(random_in) {}

  std::vector<std::string> arguments;              ///< without the program's name
  std::map<std::string, std::string> environment;  ///< DROVER_* and NO_COLOR, TERM
  Callback<void(std::string_view)> out;            ///< standard output, flushed at once
  Callback<void(std::string_view)> err;            ///< standard error
  Callback<Result<std::string>()> input;           ///< all of standard input
  /// One line that a person types, without its end; an error at the end of input.
  Callback<Result<std::string>()> answer;
  /// Lets a person change a text in an editor; cancelled when the editor fails. Empty: there is
  /// none.
  Callback<Result<std::string>(const std::string& text)> edit;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  size_t width = 0;   ///< the terminal's columns; 0: not limited
  size_t height = 0;  ///< its lines; 0: not known
  /// For tests: --watch ends after so many drawings; 0: never.
  size_t most_refreshes = 0;
  /// Looked for in this order when neither --socket nor --server is given.
  std::vector<std::string> sockets{"/run/drover/master.sock", "/run/drover/utility.sock",
                                   "/run/drover/aggregator.sock", "/run/drover/compute.sock"};
  net::Loop& loop;  ///< requests run on it; its civil time is "now"
  Disk& disk;
  Random& random;
};

/// Runs one command; the process's exit code: 0 ok, 1 some nodes failed, 2 usage, 3 unreachable,
/// 4 denied, 5 conflict.
int run(Surroundings& surroundings);

}  // namespace drover::cli
