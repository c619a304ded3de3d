// Merging samples and naming their values.
#include "telemetry/latest.hpp"

#include "telemetry/metrics.hpp"

#include <algorithm>

namespace drover::telemetry {
namespace {

constexpr int64_t kLateMs = 60'000;

using Values = std::vector<std::pair<uint32_t, double>>;

/// Overwrites and adds; both sorted by id.
void merge(const Values& from, Values& into) {
  auto at = into.begin();
  for (const auto& [id, value] : from) {
    at = std::lower_bound(at, into.end(), id,
                          [](const auto& entry, uint32_t wanted) { return entry.first < wanted; });
    if (at != into.end() && at->first == id) {
      at->second = value;
    } else {
      at = into.emplace(at, id, value);
    }
  }
}

}  // namespace

void Latest::apply(std::string_view node, const Sample& sample, MonoTime now) {
  auto found = nodes_.find(node);
  if (found == nodes_.end()) found = nodes_.emplace(std::string(node), Entry()).first;
  Entry& entry = found->second;
  const int64_t behind = entry.time_ms - sample.time_ms;
  if (behind > 0 && behind < kLateMs) return;
  entry.time_ms = sample.time_ms;
  entry.heard = now;
  entry.lost = false;
  if (sample.full) {
    entry.values = sample.values;
    entry.devices = sample.devices;
    entry.complete = true;
  } else {
    merge(sample.values, entry.values);
  }
}

Status Latest::apply_bytes(std::string_view node, std::string_view bytes, MonoTime now) {
  DROVER_TRY(const Sample sample, decode_sample(bytes));
  apply(node, sample, now);
  return {};
}

void Latest::lost(std::string_view node) {
  const auto found = nodes_.find(node);
  if (found != nodes_.end()) found->second.lost = true;
}

void Latest::forget(std::string_view node) {
  const auto found = nodes_.find(node);
  if (found != nodes_.end()) nodes_.erase(found);
}

std::optional<NodeMetrics> Latest::find(std::string_view node, MonoTime now) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  const Entry& entry = found->second;
  NodeMetrics metrics;
  metrics.node = found->first;
  metrics.time = from_unix_ms(entry.time_ms);
  metrics.age = now - entry.heard;
  metrics.stale = entry.lost || metrics.age > kStaleAfter;
  Values values = entry.values;
  std::sort(values.begin(), values.end(), [](const auto& a, const auto& b) {
    return std::pair(metric_of(a.first), device_of(a.first)) <
           std::pair(metric_of(b.first), device_of(b.first));
  });
  for (const auto& [id, value] : values) {
    const MetricInfo* info = find_metric(metric_of(id));
    const uint32_t device = device_of(id);
    // A newer node's metric, or a device whose name has not arrived, has no name to show.
    if (info == nullptr || device > entry.devices.size()) continue;
    std::string name(info->name);
    if (device != 0) name += "/" + entry.devices[device - 1];
    metrics.values.emplace_back(std::move(name), value);
  }
  return metrics;
}

std::optional<double> Latest::value(std::string_view node, uint32_t id) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  const Values& values = found->second.values;
  const auto at =
      std::lower_bound(values.begin(), values.end(), id,
                       [](const auto& entry, uint32_t wanted) { return entry.first < wanted; });
  if (at == values.end() || at->first != id) return std::nullopt;
  return at->second;
}

std::optional<Sample> Latest::full_sample(std::string_view node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || !found->second.complete) return std::nullopt;
  const Entry& entry = found->second;
  Sample sample{.time_ms = entry.time_ms, .full = true, .values = {}, .devices = entry.devices};
  for (const auto& value : entry.values) {
    if (device_of(value.first) <= entry.devices.size()) sample.values.push_back(value);
  }
  return sample;
}

}  // namespace drover::telemetry
