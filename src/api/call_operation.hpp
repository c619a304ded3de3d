// Calls as operations: kind "call".
#pragma once

#include "api/call_view.hpp"
#include "api/services.hpp"
#include "cluster/operation_runner.hpp"

namespace drover::api {

inline constexpr std::string_view kCallOperation = "call";

/// What to store for a call that is to run on its own; `spec` as it would be started now.
cluster::Operation call_operation(const tree::CallSpec& spec, const std::string& why,
                                  const std::string& who, const std::string& master);

/// Runs them. A node runs one call id once, so going on under the same id is harmless; one whose
/// time is over when it is taken up ends as interrupted. `services` outlives the runner.
cluster::OperationKind call_operations(Services& services);

}  // namespace drover::api
