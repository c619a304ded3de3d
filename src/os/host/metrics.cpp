// Metrics from /proc and NVML, with kept descriptors and storage.
#include "os/host/metrics.hpp"

#include "os/host/text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

namespace drover::os {
namespace {

constexpr size_t kMaxFile = size_t{4} << 20;
/// After so many reads what is remembered is asked anew: names may come back as other devices.
constexpr uint64_t kForgetEvery = 60;

/// The next word as a number; false at a word that is none.
template <typename T>
bool take_number(std::string_view& text, T& value) {
  const std::string_view word = take_word(text);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return !word.empty() && error == std::errc() && end == word.data() + word.size();
}

/// The entry of `list` at `used`, made when there is none yet, with its string's storage kept.
template <typename T>
T& reuse(std::vector<T>& list, size_t used, std::string_view name) {
  if (used == list.size()) list.emplace_back();
  list[used].name.assign(name);
  return list[used];
}

template <typename T>
void sort_by_name(std::vector<T>& list) {
  const auto less = [](const T& a, const T& b) { return a.name < b.name; };
  if (!std::is_sorted(list.begin(), list.end(), less)) std::sort(list.begin(), list.end(), less);
}

}  // namespace

bool parse_loadavg(std::string_view text, RawMetrics::Load& out) {
  RawMetrics::Load load;
  if (!take_number(text, load.one) || !take_number(text, load.five) ||
      !take_number(text, load.fifteen)) {
    return false;
  }
  const std::string_view tasks = take_word(text);  // "running/threads"
  const size_t slash = tasks.find('/');
  if (slash == std::string_view::npos) return false;
  const auto running = parse_number(tasks.substr(0, slash));
  const auto threads = parse_number(tasks.substr(slash + 1));
  if (!running || !threads) return false;
  load.running = *running;
  load.threads = *threads;
  out = load;
  return true;
}

bool parse_meminfo(std::string_view text, RawMetrics::Memory& out) {
  RawMetrics::Memory memory;
  bool total = false;
  bool available = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view name = take_word(line);
    uint64_t* target = nullptr;
    if (name == "MemTotal:") target = &memory.total;
    if (name == "MemAvailable:") target = &memory.available;
    if (name == "SwapTotal:") target = &memory.swap_total;
    if (name == "SwapFree:") target = &memory.swap_free;
    uint64_t kib = 0;
    if (target == nullptr || !take_number(line, kib)) continue;
    *target = kib * 1024;
    total |= target == &memory.total;
    available |= target == &memory.available;
    if (target == &memory.swap_free) break;  // the last one wanted
  }
  if (total && available) out = memory;
  return total && available;
}

bool parse_stat(std::string_view text, RawMetrics::Cpu& out) {
  std::string_view line = take_line(text);
  if (take_word(line) != "cpu") return false;
  std::array<uint64_t, 8> ticks{};  // user nice system idle iowait irq softirq steal (proc_stat(5))
  for (uint64_t& value : ticks) {
    if (!take_number(line, value)) return false;
  }
  out = {.user = ticks[0] + ticks[1],
         .system = ticks[2] + ticks[5] + ticks[6],
         .idle = ticks[3],
         .iowait = ticks[4],
         .steal = ticks[7]};
  return true;
}

bool parse_net_line(std::string_view line, std::string_view& name, uint64_t& rx, uint64_t& tx) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view rest = line.substr(colon + 1);
  constexpr size_t kReceiveFields = 8;
  std::array<uint64_t, kReceiveFields + 1> fields{};
  for (uint64_t& value : fields) {
    if (!take_number(rest, value)) return false;
  }
  name = trim(line.substr(0, colon));
  rx = fields.front();
  tx = fields.back();
  return !name.empty();
}

bool parse_disk_line(std::string_view line, std::string_view& name, RawMetrics::Disk& out) {
  constexpr uint64_t kSector = 512;
  take_word(line);  // major, minor
  take_word(line);
  const std::string_view device = take_word(line);
  std::array<uint64_t, 7> fields{};
  for (uint64_t& value : fields) {
    if (!take_number(line, value)) return false;
  }
  name = device;
  out.reads = fields[0];
  out.read_bytes = fields[2] * kSector;
  out.writes = fields[4];
  out.write_bytes = fields[6] * kSector;
  return true;
}

HostMetrics::HostMetrics(HostRoot root, HostMetricsOptions options)
    : root_(std::move(root)), options_(std::move(options)) {
  constexpr std::array<const char*, file_count> kPaths{"/proc/loadavg", "/proc/meminfo",
                                                       "/proc/stat",    "/proc/uptime",
                                                       "/proc/net/dev", "/proc/diskstats"};
  for (size_t i = 0; i < kPaths.size(); ++i) files_.at(i).path = kPaths.at(i);
  constexpr size_t kFirstBuffer = size_t{16} << 10;
  buffer_.resize(kFirstBuffer);
}

HostMetrics::~HostMetrics() = default;

std::string_view HostMetrics::contents(Which which) {
  KeptFile& file = files_.at(which);
  if (!file.fd) {
    file.fd.reset(::open(root_.full_path(file.path).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.fd) return {};
  }
  size_t size = 0;
  for (;;) {
    const ssize_t got = ::pread(file.fd.get(), buffer_.data() + size, buffer_.size() - size,
                                static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      file.fd.reset();  // opened anew at the next read
      return {};
    }
    size += static_cast<size_t>(got);
    // Of /proc/stat only the first line is wanted; the rest of it is long on large machines.
    if (got == 0 || which == stat_file) return {buffer_.data(), size};
    if (size == buffer_.size()) {
      if (size >= kMaxFile) return {buffer_.data(), size};
      buffer_.resize(size * 2);
    }
  }
}

bool HostMetrics::is_physical(std::vector<Known>& known, std::string_view name,
                              const char* class_dir) {
  for (const Known& entry : known) {
    if (entry.name == name) return entry.physical;
  }
  // A partition has no folder of its own there, and nothing virtual has a device behind it. NVMe
  // multipath disks hang below a virtual subsystem but have their device link like the others.
  const std::string dir = std::string(class_dir) + "/" + std::string(name);
  const bool physical = root_.exists(dir + "/device");
  known.push_back({std::string(name), physical});
  return physical;
}

void HostMetrics::read_nics(RawMetrics& out) {
  std::string_view text = contents(net_file);
  size_t used = 0;
  while (!text.empty()) {
    std::string_view name;
    uint64_t rx = 0;
    uint64_t tx = 0;
    if (!parse_net_line(take_line(text), name, rx, tx)) continue;
    if (!is_physical(known_nics_, name, "/sys/class/net")) continue;
    auto& nic = reuse(out.nics, used++, name);
    nic.rx_bytes = rx;
    nic.tx_bytes = tx;
  }
  out.nics.resize(used);
  sort_by_name(out.nics);
}

void HostMetrics::read_disks(RawMetrics& out) {
  std::string_view text = contents(disks_file);
  size_t used = 0;
  RawMetrics::Disk counters;
  while (!text.empty()) {
    std::string_view name;
    if (!parse_disk_line(take_line(text), name, counters)) continue;
    if (!is_physical(known_disks_, name, "/sys/block")) continue;
    auto& disk = reuse(out.disks, used++, name);
    disk.reads = counters.reads;
    disk.writes = counters.writes;
    disk.read_bytes = counters.read_bytes;
    disk.write_bytes = counters.write_bytes;
  }
  out.disks.resize(used);
  sort_by_name(out.disks);
}

void HostMetrics::read_gpus(RawMetrics& out) {
  if (options_.nvml_library.empty()) return;
  if (reads_ % std::max(options_.gpu_every, 1U) != 0) return;
  if (!nvml_ && reads_ % (uint64_t{options_.gpu_every} * kForgetEvery) == 0) {
    auto opened = Nvml::open(options_.nvml_library);
    if (opened) nvml_ = *std::move(opened);
    // Not installed: it will not appear under a running system; stop asking.
    if (!opened && opened.error().code == Code::not_found) options_.nvml_library.clear();
  }
  out.gpus.clear();
  if (!nvml_) return;
  for (uint32_t index = 0; index < nvml_->count(); ++index) {
    auto use = nvml_->use(index);
    if (use) out.gpus.push_back({"gpu" + std::to_string(index), *use});
  }
}

void HostMetrics::read(RawMetrics& out) {
  if (reads_ % kForgetEvery == 0) {
    known_nics_.clear();
    known_disks_.clear();
  }
  RawMetrics::Load load;
  out.load = parse_loadavg(contents(load_file), load) ? std::optional(load) : std::nullopt;
  RawMetrics::Memory memory;
  out.memory = parse_meminfo(contents(memory_file), memory) ? std::optional(memory) : std::nullopt;
  RawMetrics::Cpu cpu;
  out.cpu = parse_stat(contents(stat_file), cpu) ? std::optional(cpu) : std::nullopt;
  std::string_view uptime_text = contents(uptime_file);
  double uptime = 0;
  out.uptime_s = take_number(uptime_text, uptime) ? std::optional(uptime) : std::nullopt;
  read_nics(out);
  read_disks(out);
  read_gpus(out);
  ++reads_;
}

}  // namespace drover::os
