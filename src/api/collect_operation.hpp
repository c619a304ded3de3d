// Looks through the BMCs of many nodes as operations: kind "discover".
#pragma once

#include "api/power_targets.hpp"
#include "cluster/hardware/collected.hpp"
#include "cluster/operation_runner.hpp"

#include <string>
#include <vector>

namespace drover::api {

inline constexpr std::string_view kCollectOperation = "discover";

/// What to store for a look at these nodes' BMCs; `request.nodes` is set from them.
cluster::Operation collect_operation(cluster::CollectRequest request,
                                     const std::vector<std::string>& nodes, std::string id,
                                     const std::string& who, const std::string& master);

/// The same for BMCs that scans have found, by their addresses.
cluster::Operation collect_found_operation(const cluster::FoundCollectRequest& request,
                                           const std::vector<std::string>& addresses,
                                           std::string id, const std::string& who,
                                           const std::string& master);

/// Runs them; for MasterApi::operations(). Each BMC is looked through once, however many of its
/// nodes were named, and what was found is in the store before its nodes are done. What `services`
/// refer to outlives the runner.
cluster::OperationKind collect_operations(const PowerServices& services);

}  // namespace drover::api
