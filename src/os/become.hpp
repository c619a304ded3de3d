// Hands this process over to another program.
#pragma once

#include "base/result.hpp"

#include <string>
#include <utility>
#include <vector>

namespace drover::os {

/// Runs `program` (an absolute path) with `arguments` and these variables beside the present ones
/// in place of this program: terminal, signals and exit status are its own from then on. Returns
/// only when that failed. No other thread may run.
Status become(const std::string& program, const std::vector<std::string>& arguments,
              const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace drover::os
