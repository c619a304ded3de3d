#include "api/pcs/locations.hpp"

#include "api/smd/manners.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api::pcs {
namespace {

using cluster::XnameType;

/// Of one request; more make no sense for a cluster, and keep an operation small.
constexpr size_t kMostLocations = 20'000;
constexpr size_t kShownName = 64;

/// What PCS could switch by itself; the rest it says that it cannot.
constexpr std::array kSwitched{
    XnameType::chassis,
    XnameType::compute_module,
    XnameType::node,
    XnameType::chassis_bmc,
    XnameType::node_bmc,
    XnameType::router_bmc,
    XnameType::mgmt_switch,
    XnameType::router_module,
    XnameType::mgmt_hl_switch,
    XnameType::cdu_switch,
    XnameType::pdu_power_connector,
};

}  // namespace

Result<std::optional<std::string>> Locations::add(const std::string& text) {
  if (nodes_.size() + left_out_.size() >= kMostLocations) {
    return smd::bad(fmt::format("at most {} components", kMostLocations));
  }
  const auto xname = cluster::parse_xname(text);
  if (!xname) {
    left_out_[printable(std::string_view(text).substr(0, kShownName))] = "Invalid xname";
    return std::nullopt;
  }
  const cluster::NodeEntry* entry = index_.find(xname->text);
  if (entry == nullptr) {
    const bool switched = std::ranges::find(kSwitched, xname->type) != kSwitched.end();
    left_out_[xname->text] =
        switched ? "Missing xname"
                 : fmt::format("No power control for component type {}", enum_name(xname->type));
    return std::nullopt;
  }
  const std::string& node = entry->node().name;
  if (seen_.insert(node).second) nodes_.push_back(node);
  return node;
}

void Counts::add(std::string_view status, uint64_t count) {
  total_ += count;
  if (status == "succeeded") succeeded_ += count;
  if (status == "failed") failed_ += count;
  if (status == "unsupported") unsupported_ += count;
  if (status == "in-progress") in_progress_ += count;
}

json::object Counts::object() const {
  return {{"total", total_},
          {"new", 0},
          {"in-progress", in_progress_},
          {"failed", failed_},
          {"succeeded", succeeded_},
          {"un-supported", unsupported_}};
}

std::string expiry(const cluster::Operation& operation) {
  const WallTime from = operation.finished == WallTime{} ? operation.created : operation.finished;
  return to_rfc3339(from + cluster::OperationRunner::Options().keep_for);
}

}  // namespace drover::api::pcs
