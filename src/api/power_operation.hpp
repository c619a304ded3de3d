// Power changes of many nodes as operations: kind "power".
#pragma once

#include "api/power_targets.hpp"
#include "cluster/hardware/power_request.hpp"
#include "cluster/operation_runner.hpp"

#include <string>
#include <vector>

namespace drover::api {

inline constexpr std::string_view kPowerOperation = "power";

/// What to store for a change that is to run on these nodes; `request.nodes` is set from them.
cluster::Operation power_operation(cluster::PowerRequest request,
                                   const std::vector<std::string>& nodes, std::string id,
                                   const std::string& who, const std::string& master);

/// Runs them through the nodes' BMCs; for MasterApi::operations(). What is as good done twice goes
/// on under another start of the master; cycle and reset end as interrupted then. What `services`
/// refer to outlives the runner.
cluster::OperationKind power_operations(const PowerServices& services);

}  // namespace drover::api
