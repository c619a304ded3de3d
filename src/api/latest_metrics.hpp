// The newest metric values in memory as the API's MetricsSource.
#pragma once

#include "api/services.hpp"
#include "base/clock.hpp"
#include "telemetry/latest.hpp"

namespace drover::api {

/// Both outlive it.
class LatestMetrics final : public MetricsSource {
 public:
  LatestMetrics(const telemetry::Latest& latest, const Clock& clock)
      : latest_(latest), clock_(clock) {}
  std::optional<NodeMetrics> latest(std::string_view node) override {
    auto found = latest_.find(node, clock_.now());
    if (!found) return std::nullopt;
    NodeMetrics out;
    out.node = std::move(found->node);
    out.time = found->time;
    out.stale = found->stale;
    for (auto& [name, value] : found->values) out.metrics.emplace(std::move(name), value);
    return out;
  }

 private:
  const telemetry::Latest& latest_;
  const Clock& clock_;
};

}  // namespace drover::api
