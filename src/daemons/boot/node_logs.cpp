#include "daemons/boot/node_logs.hpp"

#include "base/result.hpp"
#include "base/text.hpp"
#include "os/kernel_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr uint32_t kDirMode = 0750;
constexpr uint32_t kFileMode = 0640;
constexpr size_t kLongestLine = 2048;

/// Appends to one node's file, and turns it over when it is full.
Status write_log(Disk& disk, const std::string& path, std::string_view text, uint64_t most) {
  DROVER_TRY(auto file, disk.open(path, true, kFileMode));
  DROVER_TRY(uint64_t size, file->size());
  if (size > 0 && size + text.size() > most) {
    file.reset();
    DROVER_CHECK_OK(disk.rename(path, path + ".1"));
    DROVER_TRY(file, disk.open(path, true, kFileMode));
    size = 0;
  }
  return file->write(size, text);
}

}  // namespace

std::string_view name(LogSource source) {
  constexpr std::array<std::string_view, 3> kNames{"boot", "kernel", "panic"};
  return kNames.at(static_cast<size_t>(source));
}

NodeLogs::NodeLogs(Executor& executor, Disk& disk, const Log& log, std::string dir, Limits limits)
    : executor_(executor),
      disk_(disk),
      log_(log.with("node-logs")),
      dir_(std::move(dir)),
      limits_(limits),
      worker_(executor.make_worker("node-logs")) {}

NodeLogs::~NodeLogs() = default;

std::string NodeLogs::path_of(const std::string& node) const {
  return fmt::format("{}/{}.log", dir_, node);
}

void NodeLogs::add(const std::string& node, LogSource source, std::string_view text) {
  put(logs_[node], fmt::format("{} {}: {}", to_rfc3339(executor_.wall()), name(source),
                               printable(text.substr(0, kLongestLine))));
}

void NodeLogs::boots(const std::string& node) {
  logs_[node].next_sequence = 0;
}

void NodeLogs::add_kernel(const std::string& node, std::string_view lines) {
  NodeLog& log = logs_[node];
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const auto line = os::parse_kernel_message(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (!line || line->sequence < log.next_sequence) continue;
    log.next_sequence = line->sequence + 1;
    constexpr uint64_t kMillion = 1'000'000;
    put(log, fmt::format("{} kernel: [{:5}.{:06}] {}", to_rfc3339(executor_.wall()),
                         line->time_us / kMillion, line->time_us % kMillion,
                         printable(line->text.substr(0, kLongestLine))));
  }
}

void NodeLogs::put(NodeLog& log, const std::string& line) {
  log.newest.push_back(line);
  if (log.newest.size() > limits_.lines_in_memory) log.newest.pop_front();
  // A disk that hangs must not make a flood of messages fill the memory.
  if (log.unwritten.size() < limits_.file_bytes) log.unwritten += line + "\n";
  if (std::exchange(armed_, true)) return;
  timer_.after(executor_, limits_.flush, [this] { flush(); });
}

void NodeLogs::flush() {
  armed_ = false;
  if (writing_) return;  // goes when that is done
  std::vector<std::pair<std::string, std::string>> texts;
  for (auto& [node, log] : logs_) {
    if (!log.unwritten.empty()) texts.emplace_back(path_of(node), std::exchange(log.unwritten, {}));
  }
  if (texts.empty()) return;
  writing_ = true;
  auto status = std::make_shared<Status>();
  worker_->run(
      [&disk = disk_, dir = dir_, most = limits_.file_bytes, texts = std::move(texts), status] {
        *status = disk.make_dirs(dir, kDirMode);
        for (const auto& [path, text] : texts) {
          if (Status written = write_log(disk, path, text, most); !written && *status) {
            *status = std::move(written);
          }
        }
      },
      [this, alive = std::weak_ptr<bool>(alive_), status] {
        if (alive.expired()) return;
        writing_ = false;
        if (std::exchange(failed_, !*status) != !*status && !*status) {
          log_.error("logs of nodes cannot be written", {{"why", status->error().text()}});
        }
        flush();
      });
}

std::vector<std::string> NodeLogs::tail(const std::string& node, size_t most) const {
  const auto it = logs_.find(node);
  if (it == logs_.end()) return {};
  const auto& newest = it->second.newest;
  return {newest.end() - static_cast<std::ptrdiff_t>(std::min(most, newest.size())), newest.end()};
}

}  // namespace drover::daemons
