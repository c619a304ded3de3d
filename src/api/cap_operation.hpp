// Limits of the power of many nodes as operations: kind "power-cap". A node's result is PowerCaps
// as JSON.
#pragma once

#include "api/bmc_run.hpp"
#include "cluster/hardware/power_cap.hpp"

#include <string>
#include <vector>

namespace drover::api {

inline constexpr std::string_view kCapOperation = "power-cap";

/// What to store for a request that is to run on these nodes; `request.nodes` is set from them.
cluster::Operation cap_operation(cluster::CapRequest request, const std::vector<std::string>& nodes,
                                 std::string id, const std::string& who, const std::string& master);

/// Runs them through the nodes' BMCs, by Redfish; for MasterApi::operations(). What `services`
/// refer to outlives the runner.
cluster::OperationKind cap_operations(const PowerServices& services);

}  // namespace drover::api
