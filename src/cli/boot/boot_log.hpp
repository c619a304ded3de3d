// Lines of nodes' logs as commands print them: the boot log, and consoles.
#pragma once

#include "cli/context.hpp"

#include <string>

namespace drover::cli {

/// A time, or how long ago: "2026-11-22T10:00:00Z", "10m"; as RFC 3339.
Result<std::string> since_of(const Context& context, const std::string& text);

/// Prints what a stream of log lines at that path (of the API) gives: the text of the node's log,
/// or with `follow` what is new as well until the command is ended. The exit code.
Result<int> print_log_lines(Context& context, std::string path, bool follow);

}  // namespace drover::cli
