// From arguments to one command of the table and its values.
#pragma once

#include "cli/command.hpp"

#include <string>
#include <vector>

namespace drover::cli {

struct Invocation {
  const Command* command = nullptr;  ///< null: print `text` and leave with `exit_code`
  Given given;                       ///< the command's own parameters
  Given globals;
  std::string text;
  int exit_code = 0;
};

Invocation parse(const std::vector<std::string>& arguments);

}  // namespace drover::cli
