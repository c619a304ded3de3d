// Collector: reads the host's metrics each second away from the main executor, and gives heartbeats
// what is new.
#pragma once

#include "base/clock.hpp"
#include "os/host/metrics.hpp"
#include "telemetry/sampler.hpp"

#include <memory>
#include <string>

namespace drover::telemetry {

/// Where readings come from: the host, or a made-up one in tests and the simulator.
class MetricSource {
 public:
  MetricSource() = default;
  MetricSource(const MetricSource&) = delete;
  MetricSource& operator=(const MetricSource&) = delete;
  virtual ~MetricSource() = default;
  /// Called on a worker, one call at a time; may block.
  virtual void read(os::RawMetrics& out) = 0;
};

/// The running machine.
class HostMetricSource final : public MetricSource {
 public:
  explicit HostMetricSource(os::HostMetricsOptions options)
      : metrics_(os::HostRoot(), std::move(options)) {}
  void read(os::RawMetrics& out) override { metrics_.read(out); }

 private:
  os::HostMetrics metrics_;
};

/// A reading that hangs (a sick GPU driver) holds up the next one and nothing else: heartbeats go
/// on without samples. Belongs to its executor's thread; `source` outlives it.
class Collector {
 public:
  Collector(Executor& executor, MetricSource& source, Duration every = std::chrono::seconds(1));
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  /// Waits for a reading in progress.
  ~Collector() = default;

  void start();
  void stop();
  /// Another time between readings, from now on.
  void set_interval(Duration every);

  /// Bytes of the sample for the next heartbeat, "" when nothing is new. Taken to have arrived once
  /// given out, since links keep their order; `everything` for a new link, or after one was lost.
  std::string sample(bool everything);

  /// How long the reading in progress has taken; zero when none is.
  [[nodiscard]] Duration busy_for() const;

 private:
  struct Reading {
    os::RawMetrics raw;
    bool busy = false;
  };
  void tick();
  void arm();

  Executor& executor_;
  MetricSource& source_;
  Duration every_;
  std::shared_ptr<Reading> reading_ = std::make_shared<Reading>();
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  MonoTime began_{};
  Sampler sampler_;
  Timer timer_;
  std::unique_ptr<Worker> worker_;  // last: its destructor waits for the job that uses the above
};

}  // namespace drover::telemetry
