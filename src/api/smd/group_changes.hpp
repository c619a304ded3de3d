// Changes of SMD's /groups and /partitions, one function a route.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "cluster/group.hpp"
#include "cluster/model.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::api::smd {

/// Groups and partitions differ in a few words alone.
struct GroupSort {
  bool partition;
  std::string_view what;  ///< "group"
  std::string_view base;  ///< "/hsm/v2/groups"
  std::string_view key;   ///< "label"
};
inline constexpr GroupSort kGroupSort{false, "group", "/hsm/v2/groups", "label"};
inline constexpr GroupSort kPartitionSort{true, "partition", "/hsm/v2/partitions", "name"};

/// The name of the model's group behind a label.
std::string stored_group_name(const GroupSort& sort, std::string_view label);
Error no_such_group(const GroupSort& sort);
/// Also one that is always there (compute, utility, all), as a group without words of its own.
std::optional<cluster::Group> find_group(const cluster::Model& model, const GroupSort& sort,
                                         std::string_view asked);

void post_group(Services& services, const RequestPtr& request, const GroupSort& sort);
void patch_group(Services& services, const RequestPtr& request, const GroupSort& sort);
void remove_group(Services& services, const RequestPtr& request, const GroupSort& sort);
void add_group_member(Services& services, const RequestPtr& request, const GroupSort& sort);
/// An addition of OpenCHAMI's: exactly these members from now on.
void put_group_members(Services& services, const RequestPtr& request, const GroupSort& sort);
void remove_group_member(Services& services, const RequestPtr& request, const GroupSort& sort);

}  // namespace drover::api::smd
