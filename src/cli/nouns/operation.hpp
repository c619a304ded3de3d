// The rows of the noun operation.
#pragma once

#include "base/callback.hpp"
#include "base/json.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"

#include <string>
#include <vector>

namespace drover::cli {

std::vector<Command> operation_commands();

/// Waits for the end of an operation, however long it takes unless --timeout says how long:
/// timed_out then, with the command that waits on. `seen`, if any, hears of it about once a second.
using OperationSeen = Callback<void(const json::value& operation)>;
Result<json::value> await_operation(Context& context, const std::string& id,
                                    OperationSeen seen = {});

}  // namespace drover::cli
