// Being at a console: what it says to the terminal, what is typed to it.
#pragma once

#include "cli/context.hpp"

#include <string>

namespace drover::cli {

/// Until the keys for it, the end of the input or a signal end it; the terminal is as before
/// afterwards. Input that is no terminal is typed, and then the command ends when the console has
/// been silent for a second.
Result<int> attend_console(Context& context, const std::string& node, bool writes);

/// Plays what a console said between two times (RFC 3339; empty: no bound) as it was said, `speed`
/// times as fast and with no silence longer than two seconds; 0: at once.
Result<int> replay_console(Context& context, const std::string& node, const std::string& since,
                           const std::string& until, double speed);

}  // namespace drover::cli
