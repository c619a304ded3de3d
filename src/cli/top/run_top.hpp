// `drover top`: the terminal, the daemon and the board together.
#pragma once

#include "cli/context.hpp"

namespace drover::cli::top {

/// Runs until a key or signal ends it; the terminal is as before afterwards. unsupported where
/// input or output is no terminal.
Result<int> run_top(Context& context);

}  // namespace drover::cli::top
