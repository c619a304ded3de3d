#include "cluster/hardware/power_request.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 11> kActionNames{
    "status", "on",          "off",          "soft_off",     "force_off", "cycle",
    "reset",  "boot_device", "soft_restart", "hard_restart", "identify"};
constexpr std::array<std::string_view, 3> kLightNames{"off", "on", "blink"};
constexpr std::array<std::string_view, 7> kDeviceNames{"none", "pxe", "http", "disk",
                                                       "cd",   "usb", "bios"};
constexpr size_t kMaxGroupLimits = 64;
constexpr size_t kMaxDeputyKey = 256;

Status within(std::string_view field, uint32_t value, uint32_t least, uint32_t most) {
  if (value >= least && value <= most) return {};
  return fail(Code::invalid_argument,
              fmt::format("{}: expected {} to {}, got {}", field, least, most, value));
}

}  // namespace

std::span<const std::string_view> enum_names(PowerAction) {
  return kActionNames;
}
std::span<const std::string_view> enum_names(BootDevice) {
  return kDeviceNames;
}
std::span<const std::string_view> enum_names(IdentifyLight) {
  return kLightNames;
}

bool is_repeatable(PowerAction action) {
  switch (action) {
    case PowerAction::cycle:
    case PowerAction::reset:
    case PowerAction::soft_restart:
    case PowerAction::hard_restart:
      return false;
    default:
      return true;
  }
}

void PowerRequest::describe(Visitor& v) {
  v.field("nodes", nodes, "Noderange of the nodes.");
  v.field("action", action, "What to do with their power.");
  v.field("device", device,
          "For boot_device: what they boot from next; none: as their firmware says.",
          Presence::optional);
  v.field("persistent", persistent, "For boot_device: at every boot, not only at the next.",
          Presence::optional);
  v.field("light", light, "For identify: what the light does.", Presence::optional);
  v.field("graceful_s", graceful_s,
          "How long an operating system has to shut down before it is forced, in seconds; 0: none.",
          Presence::optional);
  v.field("forced_s", forced_s, "How long any other change may take, in seconds.",
          Presence::optional);
  v.field("at_a_time", at_a_time, "How many nodes are worked on at a time.", Presence::optional);
  v.field("per_second", per_second, "How many nodes begin in a second.", Presence::optional);
  v.field("group_limits", group_limits,
          "How many nodes of a group are worked on at a time, by group.", Presence::optional);
  v.field("confirm", confirm, "Whether it is done only when the state was seen to be reached.",
          Presence::optional);
  v.field("force", force,
          "Whether locks and reservations of nodes are passed over; for those who may set them.",
          Presence::optional);
  v.field("deputy_keys", deputy_keys,
          "By node: the deputy key of its reservation, which lets the change pass; it is not kept.",
          Presence::optional);
  v.field("why", why, "Reason, for the change log.", Presence::optional);
}

void PowerOrder::describe(Visitor& v) {
  request.describe(v);
  v.field("deputies", deputies, "By node: the digest of the deputy key that was shown.",
          Presence::optional);
  v.field("left_out", left_out, "Names that are no nodes, and why they were left out.",
          Presence::optional);
}

Status check(const PowerRequest& request) {
  DROVER_CHECK_OK(within("graceful_s", request.graceful_s, 0, 3600));
  DROVER_CHECK_OK(within("forced_s", request.forced_s, 1, 3600));
  DROVER_CHECK_OK(within("at_a_time", request.at_a_time, 1, 10'000));
  DROVER_CHECK_OK(within("per_second", request.per_second, 1, 1'000));
  if (request.group_limits.size() > kMaxGroupLimits) {
    return fail(Code::invalid_argument,
                fmt::format("group_limits: at most {} groups", kMaxGroupLimits));
  }
  for (const auto& [group, limit] : request.group_limits) {
    DROVER_CHECK_OK(within("group_limits." + group, limit, 1, 10'000));
  }
  for (const auto& [node, key] : request.deputy_keys) {
    if (key.size() <= kMaxDeputyKey) continue;
    return fail(Code::invalid_argument,
                fmt::format("deputy_keys.{}: at most {} bytes", node, kMaxDeputyKey));
  }
  return {};
}

}  // namespace drover::cluster
