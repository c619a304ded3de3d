// Looks for BMCs on networks as operations: kind "scan". What they are about are addresses, where
// other operations have nodes.
#pragma once

#include "api/power_targets.hpp"
#include "cluster/discovery/scan_request.hpp"
#include "cluster/operation_runner.hpp"

#include <string>
#include <vector>

namespace drover::api {

inline constexpr std::string_view kScanOperation = "scan";
/// How the outcome of an address begins where there is none: "no BMC (no answer)".
inline constexpr std::string_view kNoBmc = "no BMC";

/// What to store for a scan of these addresses.
cluster::Operation scan_operation(const cluster::ScanRequest& request,
                                  const std::vector<std::string>& addresses, std::string id,
                                  const std::string& who, const std::string& master);

/// Runs them; for MasterApi::operations(). What an address is found to be is in the store before it
/// is done; one whose BMC is known is not asked unless the request says so. What `services` refer
/// to outlives the runner.
cluster::OperationKind scan_operations(const PowerServices& services);

}  // namespace drover::api
