// The rows of the noun power.
#pragma once

#include "base/json.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

std::vector<Command> power_commands();

/// How an operation's nodes ended: "n[1-8]: on", failures on standard error; the exit code.
Result<int> print_ended(Context& context, const json::value& operation);

/// The number that the option `name` was given; invalid_argument for anything else.
Result<uint64_t> number_of(std::string_view name, const std::string& text);

}  // namespace drover::cli
