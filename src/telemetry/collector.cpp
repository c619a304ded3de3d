// One reading at a time, one tick after the other.
#include "telemetry/collector.hpp"

namespace drover::telemetry {

Collector::Collector(Executor& executor, MetricSource& source, Duration every)
    : executor_(executor), source_(source), every_(every) {}

void Collector::start() {
  if (!worker_) worker_ = executor_.make_worker("telemetry");
  tick();
}

void Collector::stop() {
  timer_.cancel();
}

void Collector::set_interval(Duration every) {
  if (every == every_) return;
  every_ = every;
  if (worker_) arm();
}

void Collector::arm() {
  timer_.after(executor_, every_, [this] { tick(); });
}

void Collector::tick() {
  arm();
  if (reading_->busy) return;
  reading_->busy = true;
  began_ = executor_.now();
  worker_->run([reading = reading_, &source = source_] { source.read(reading->raw); },
               [this, alive = std::weak_ptr<bool>(alive_), reading = reading_] {
                 if (alive.expired()) return;
                 reading->busy = false;
                 sampler_.update(reading->raw, began_);
               });
}

std::string Collector::sample(bool everything) {
  if (everything) sampler_.start_over();
  const Sample* sample = sampler_.take(executor_.now(), executor_.wall());
  if (sample == nullptr) return {};
  std::string bytes = encode_sample(*sample);
  sampler_.acknowledge();
  return bytes;
}

Duration Collector::busy_for() const {
  return reading_->busy ? executor_.now() - began_ : Duration::zero();
}

}  // namespace drover::telemetry
