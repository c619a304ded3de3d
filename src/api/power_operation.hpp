// Power changes of many nodes as operations: kind "power".
#pragma once

#include "api/bmc_run.hpp"
#include "cluster/hardware/power_request.hpp"

#include <string>
#include <vector>

namespace drover::api {

inline constexpr std::string_view kPowerOperation = "power";

/// What to keep of a request: deputy keys become digests of themselves.
cluster::PowerOrder power_order(cluster::PowerRequest request);

/// What to store for a change that is to run on these nodes; `order.request.nodes` is set from
/// them.
cluster::Operation power_operation(cluster::PowerOrder order, const std::vector<std::string>& nodes,
                                   std::string id, const std::string& who,
                                   const std::string& master);

/// What its run does with each BMC: reserves the node (api/power_hold.hpp), changes its power, and
/// keeps and tells the sight what was seen.
BmcWork power_work(const PowerServices& services, const OperationRunPtr& run,
                   const cluster::PowerOrder& order);

/// Runs them through the nodes' BMCs; for MasterApi::operations(). What is as good done twice goes
/// on under another start of the master; cycle, reset and restarts end as interrupted then. What
/// `services` refer to outlives the runner.
cluster::OperationKind power_operations(const PowerServices& services);

}  // namespace drover::api
