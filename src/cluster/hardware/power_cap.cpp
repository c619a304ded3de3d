#include "cluster/hardware/power_cap.hpp"

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr uint32_t kMostWatts = 1'000'000;
constexpr uint32_t kMostAtATime = 10'000;

Status check_watts(uint32_t watts) {
  if (watts <= kMostWatts) return {};
  return fail(Code::invalid_argument,
              fmt::format("watts: expected 0 to {}, got {}", kMostWatts, watts));
}

}  // namespace

void PowerCap::describe(Visitor& v) {
  v.field("name", name, "What the BMC calls it.");
  v.field("limit", limit, "Most watts that it may draw; 0: no limit.");
  v.field("least", least, "Smallest limit that it takes; null: the BMC does not say.");
  v.field("most", most, "Largest limit that it takes; null: the BMC does not say.");
}

void PowerCaps::describe(Visitor& v) {
  v.field("caps", caps, "The limits of one machine.");
}

void CapRequest::describe(Visitor& v) {
  v.field("nodes", nodes, "Noderange of the nodes.");
  v.field("watts", watts, "The limit of each; 0: none; null: they are only looked at.",
          Presence::optional);
  v.field("wishes", wishes, "By node and by name of a limit: other watts than that.",
          Presence::optional);
  v.field("left_out", left_out, "Names that are no nodes, and why they were left out.",
          Presence::optional);
  v.field("at_a_time", at_a_time, "How many nodes are worked on at a time.", Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

CapWishes CapRequest::wishes_of(const std::string& node) const {
  const auto own = wishes.find(node);
  if (own != wishes.end()) return own->second;
  return watts ? CapWishes{{"", *watts}} : CapWishes{};
}

Status check(const CapRequest& request) {
  if (request.at_a_time < 1 || request.at_a_time > kMostAtATime) {
    return fail(Code::invalid_argument, fmt::format("at_a_time: expected 1 to {}, got {}",
                                                    kMostAtATime, request.at_a_time));
  }
  if (request.watts) DROVER_CHECK_OK(check_watts(*request.watts));
  for (const auto& [node, wishes] : request.wishes) {
    for (const auto& [name, watts] : wishes) DROVER_CHECK_OK(check_watts(watts));
  }
  return {};
}

}  // namespace drover::cluster
