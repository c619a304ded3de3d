// The resources of an emulated BMC that show what it has beside machines: limits of power, sensors,
// logs, firmware and tasks.
#pragma once

#include "base/callback.hpp"
#include "base/json.hpp"
#include "sim/bmc/bmc_board.hpp"
#include "sim/bmc/bmc_state.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

/// What such resources are made of.
struct BmcServices {
  const BmcTraits& traits;
  const BmcBoard& board;
  const BmcMachines& machines;
  /// Makes a collection: its path, type and the paths of its members.
  Callback<json::object(const std::string&, std::string_view, const std::vector<std::string>&)>
      collection;
};

/// The resource at `path`, whose steps below the service's root are `parts`; nothing when it is
/// none of these.
std::optional<json::object> bmc_service(BmcServices& services, const std::string& path,
                                        const std::vector<std::string_view>& parts);

/// The Task of an update: "/redfish/v1/TaskService/Tasks/1".
std::string bmc_task_path(uint64_t number);
json::object bmc_task(const BmcBoard& board, const BmcUpdate& update, uint64_t number);

}  // namespace drover::sim
