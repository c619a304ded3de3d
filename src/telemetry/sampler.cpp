// Differences, sums and changes.
#include "telemetry/sampler.hpp"

#include <algorithm>

namespace drover::telemetry {
namespace {

double grown(uint64_t before, uint64_t now) {
  return static_cast<double>(now >= before ? now - before : now);
}

template <typename T>
const T* named(const std::vector<T>& list, const std::string& name) {
  const auto found = std::lower_bound(list.begin(), list.end(), name,
                                      [](const T& a, const std::string& b) { return a.name < b; });
  return found == list.end() || found->name != name ? nullptr : &*found;
}

/// Copies without giving up storage that `to` has.
template <typename T>
void copy_list(const std::vector<T>& from, std::vector<T>& to) {
  to.resize(from.size());
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

void Sampler::put(Metric metric, uint32_t device, double value) {
  const MetricInfo* info = find_metric(static_cast<uint32_t>(metric));
  current_.emplace_back(metric_id(metric, device), info == nullptr ? value : rounded(*info, value));
}

uint32_t Sampler::name_device(uint32_t device, std::string_view name) {
  if (device < devices_.size()) {
    if (devices_[device] != name) {
      devices_[device].assign(name);
      devices_changed_ = true;
    }
  } else {
    devices_.emplace_back(name);
    devices_changed_ = true;
  }
  return device + 1;
}

void Sampler::put_gauges(const os::RawMetrics& raw) {
  if (raw.load) {
    put(Metric::load1, 0, raw.load->one);
    put(Metric::load5, 0, raw.load->five);
    put(Metric::load15, 0, raw.load->fifteen);
    put(Metric::running, 0, static_cast<double>(raw.load->running));
    put(Metric::threads, 0, static_cast<double>(raw.load->threads));
  }
  if (raw.uptime_s) put(Metric::uptime, 0, *raw.uptime_s);
  if (raw.memory) {
    const auto& memory = *raw.memory;
    put(Metric::memory_total, 0, static_cast<double>(memory.total));
    put(Metric::memory_available, 0, static_cast<double>(memory.available));
    put(Metric::memory_used, 0,
        static_cast<double>(memory.total - std::min(memory.available, memory.total)));
    put(Metric::swap_total, 0, static_cast<double>(memory.swap_total));
    put(Metric::swap_used, 0,
        static_cast<double>(memory.swap_total - std::min(memory.swap_free, memory.swap_total)));
  }
}

void Sampler::put_cpu(const os::RawMetrics& raw) {
  if (!raw.cpu || !previous_.cpu) return;
  const auto& now = *raw.cpu;
  const auto& before = *previous_.cpu;
  // iowait may go back (proc_stat(5)): nothing was added to it then.
  const auto ticks = [](uint64_t from, uint64_t to) {
    return to >= from ? static_cast<double>(to - from) : 0.0;
  };
  const double user = ticks(before.user, now.user);
  const double system = ticks(before.system, now.system);
  const double idle = ticks(before.idle, now.idle);
  const double iowait = ticks(before.iowait, now.iowait);
  const double steal = ticks(before.steal, now.steal);
  const double total = std::max(user + system + idle + iowait + steal, 1.0);
  put(Metric::cpu_user, 0, 100 * user / total);
  put(Metric::cpu_system, 0, 100 * system / total);
  put(Metric::cpu_iowait, 0, 100 * iowait / total);
  put(Metric::cpu_idle, 0, 100 * idle / total);
  put(Metric::cpu_steal, 0, 100 * steal / total);
}

uint32_t Sampler::put_nics(const os::RawMetrics& raw, double seconds) {
  uint32_t device = 0;
  double rx_sum = 0;
  double tx_sum = 0;
  for (const auto& nic : raw.nics) {
    const auto* before = named(previous_.nics, nic.name);
    const double rx = before == nullptr ? 0 : grown(before->rx_bytes, nic.rx_bytes) / seconds;
    const double tx = before == nullptr ? 0 : grown(before->tx_bytes, nic.tx_bytes) / seconds;
    rx_sum += rx;
    tx_sum += tx;
    if (device == kMaxNics) continue;
    device = name_device(device, nic.name);
    put(Metric::net_rx, device, rx);
    put(Metric::net_tx, device, tx);
  }
  put(Metric::net_rx, 0, rx_sum);
  put(Metric::net_tx, 0, tx_sum);
  return device;
}

uint32_t Sampler::put_disks(const os::RawMetrics& raw, double seconds, uint32_t device) {
  const uint32_t first = device;
  double read_sum = 0;
  double write_sum = 0;
  double reads_sum = 0;
  double writes_sum = 0;
  for (const auto& disk : raw.disks) {
    const auto* before = named(previous_.disks, disk.name);
    if (before == nullptr) before = &disk;
    const double read = grown(before->read_bytes, disk.read_bytes) / seconds;
    const double write = grown(before->write_bytes, disk.write_bytes) / seconds;
    read_sum += read;
    write_sum += write;
    reads_sum += grown(before->reads, disk.reads) / seconds;
    writes_sum += grown(before->writes, disk.writes) / seconds;
    if (device - first == kMaxDisks) continue;
    device = name_device(device, disk.name);
    put(Metric::disk_read, device, read);
    put(Metric::disk_write, device, write);
  }
  put(Metric::disk_read, 0, read_sum);
  put(Metric::disk_write, 0, write_sum);
  put(Metric::disk_read_ops, 0, reads_sum);
  put(Metric::disk_write_ops, 0, writes_sum);
  return device;
}

uint32_t Sampler::put_gpus(const os::RawMetrics& raw, uint32_t device) {
  if (raw.gpus.empty()) return device;
  double utilization = 0;
  double power = 0;
  double hottest = 0;
  double memory = 0;
  const uint32_t first = device;
  for (const auto& gpu : raw.gpus) {
    const bool own = device - first < kMaxGpus;
    if (own) device = name_device(device, gpu.name);
    const auto take = [&](Metric metric, double value) {
      if (own) put(metric, device, value);
      return value;
    };
    const auto& use = gpu.use;
    if (use.utilization_percent) {
      utilization += take(Metric::gpu_utilization, *use.utilization_percent);
    }
    if (use.power_mw) power += take(Metric::gpu_power, *use.power_mw / 1000.0);
    if (use.temperature_c) {
      hottest = std::max(hottest, take(Metric::gpu_temperature, *use.temperature_c));
    }
    if (use.memory_used_bytes) {
      memory += take(Metric::gpu_memory_used, static_cast<double>(*use.memory_used_bytes));
    }
  }
  put(Metric::gpu_utilization, 0, utilization / static_cast<double>(raw.gpus.size()));
  put(Metric::gpu_power, 0, power);
  put(Metric::gpu_temperature, 0, hottest);
  put(Metric::gpu_memory_used, 0, memory);
  return device;
}

void Sampler::update(const os::RawMetrics& raw, MonoTime now) {
  const double seconds =
      previous_time_ ? std::chrono::duration<double>(now - *previous_time_).count() : 0;
  if (previous_time_ && seconds <= 0) return;  // the same moment twice: no rate
  current_.clear();
  put_gauges(raw);
  if (previous_time_) {
    put_cpu(raw);
    uint32_t device = put_nics(raw, seconds);
    device = put_disks(raw, seconds, device);
    device = put_gpus(raw, device);
    if (device < devices_.size()) {
      devices_.resize(device);
      devices_changed_ = true;
    }
  }
  std::sort(current_.begin(), current_.end());
  previous_.cpu = raw.cpu;
  copy_list(raw.nics, previous_.nics);
  copy_list(raw.disks, previous_.disks);
  previous_time_ = now;
}

const Sample* Sampler::take(MonoTime now, WallTime wall) {
  if (current_.empty()) return nullptr;
  const auto same_id = [](const auto& a, const auto& b) { return a.first == b.first; };
  const bool same_set = std::equal(current_.begin(), current_.end(), acknowledged_.begin(),
                                   acknowledged_.end(), same_id);
  const bool due = !last_full_ || now - *last_full_ >= kFullSampleEvery;
  const bool full = full_wanted_ || devices_changed_ || !same_set || due;
  sample_.full = full;
  sample_.time_ms = to_unix_ms(wall);
  sample_.values.clear();
  for (size_t i = 0; i < current_.size(); ++i) {
    if (full || current_[i].second != acknowledged_[i].second)
      sample_.values.push_back(current_[i]);
  }
  if (sample_.values.empty()) return nullptr;
  if (full) {
    copy_list(devices_, sample_.devices);
    last_full_ = now;
  } else {
    sample_.devices.clear();
  }
  copy_list(current_, at_take_);
  taken_ = true;
  return &sample_;
}

void Sampler::acknowledge() {
  if (!taken_) return;
  taken_ = false;
  copy_list(at_take_, acknowledged_);
  if (sample_.full) {
    full_wanted_ = false;
    if (sample_.devices == devices_) devices_changed_ = false;
  }
}

void Sampler::start_over() {
  full_wanted_ = true;
  taken_ = false;
}

}  // namespace drover::telemetry
