#include "daemons/boot/node_logs.hpp"

#include "base/result.hpp"
#include "base/text.hpp"
#include "os/kernel_log.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr uint32_t kDirMode = 0750;
constexpr uint32_t kFileMode = 0640;
constexpr size_t kLongestLine = 2048;
// Writing takes at most about a ninth of the time: when thousands of nodes boot at once each has a
// file of its own to be opened, the less often the better. Nobody's last words wait for longer.
constexpr Duration::rep kPauseOfWriting = 8;
constexpr Duration kLongestPause = std::chrono::seconds(2);
constexpr std::string_view kPanic = "Kernel panic - not syncing";

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

/// Reads a line of the file; nothing when it is none, as the first of a torn one.
std::optional<NodeLogLine> parse_line(std::string_view line) {
  const size_t blank = line.find(' ');
  const size_t colon = line.find(": ", blank == line.npos ? line.size() : blank);
  if (blank == line.npos || colon == line.npos) return {};
  const auto time = from_rfc3339(line.substr(0, blank));
  if (!time) return {};
  return NodeLogLine{*time, std::string(line.substr(blank + 1, colon - blank - 1)),
                     std::string(line.substr(colon + 2))};
}

void choose(std::string_view text, const NodeLogs::Wanted& wanted, std::deque<NodeLogLine>& to) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    auto line = parse_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line || !NodeLogs::is_wanted(wanted, *line)) continue;
    to.push_back(*std::move(line));
    if (wanted.lines != 0 && to.size() > wanted.lines) to.pop_front();
  }
}

Result<std::vector<NodeLogLine>> read_log(Disk& disk, const std::string& path,
                                          const NodeLogs::Wanted& wanted) {
  std::deque<NodeLogLine> lines;
  for (const std::string& file : {path + ".1", path}) {
    DROVER_TRY(const bool there, disk.exists(file));
    if (!there) continue;
    DROVER_TRY(const std::string text, disk.read_all(file));
    choose(text, wanted, lines);
  }
  return std::vector<NodeLogLine>(std::make_move_iterator(lines.begin()),
                                  std::make_move_iterator(lines.end()));
}

}  // namespace

std::string_view name(LogSource source) {
  constexpr std::array<std::string_view, 5> kNames{"boot", "kernel", "panic", "console", "note"};
  return kNames.at(static_cast<size_t>(source));
}

NodeLogs::NodeLogs(Executor& executor, Disk& disk, const Log& log, std::string dir, Limits limits)
    : executor_(executor),
      disk_(disk),
      log_(log.with("node-logs")),
      dir_(std::move(dir)),
      limits_(limits),
      worker_(executor.make_worker("node-logs")),
      pause_(limits.flush) {}

NodeLogs::~NodeLogs() = default;

std::string NodeLogs::path_of(const std::string& node) const {
  return fmt::format("{}/{}.log", dir_, node);
}

void NodeLogs::add(const std::string& node, LogSource source, std::string_view text) {
  add_at(node, source, executor_.wall(), text);
}

void NodeLogs::add_at(const std::string& node, LogSource source, WallTime time,
                      std::string_view text) {
  const bool panic = source == LogSource::kernel && text.find(kPanic) != text.npos;
  put(node, panic ? LogSource::panic : source, time, printable(text.substr(0, kLongestLine)));
  if (panic && on_panic_) on_panic_(node, text.substr(text.find(kPanic)));
}

void NodeLogs::add_refusal(const std::string& node, std::string_view text) {
  if (refusals_.allow(node, executor_.now())) add(node, LogSource::boot, text);
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
    add(node, LogSource::kernel,
        fmt::format("[{:5}.{:06}] {}", line->time_us / kMillion, line->time_us % kMillion,
                    line->text));
  }
}

void NodeLogs::put(const std::string& node, LogSource source, WallTime time, std::string text) {
  NodeLog& log = logs_[node];
  const WallTime kept = from_unix_ms(to_unix_ms(time));  // as it is read back
  const NodeLogLine line{kept, std::string(name(source)), std::move(text)};
  // A disk that hangs must not make a flood of messages fill the memory.
  if (log.unwritten.size() < limits_.file_bytes && unwritten_ < limits_.unwritten) {
    const size_t before = log.unwritten.size();
    log.unwritten += fmt::format("{} {}: {}\n", to_rfc3339(kept), line.source, line.text);
    unwritten_ += log.unwritten.size() - before;
  }
  if (on_line_) on_line_(node, line);
  arm();
}

void NodeLogs::arm() {
  if (std::exchange(armed_, true)) return;
  timer_.after(executor_, pause_, [this] { flush(); });
}

void NodeLogs::flush() {
  armed_ = false;
  if (writing_ == 0) return write_out();
  due_ = true;
}

void NodeLogs::write_out() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (auto& [node, log] : logs_) {
    if (!log.unwritten.empty()) texts.emplace_back(path_of(node), std::exchange(log.unwritten, {}));
  }
  if (texts.empty()) return;
  ++writing_;
  uint64_t bytes = 0;
  for (const auto& [path, text] : texts) bytes += text.size();
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
      [this, alive = std::weak_ptr<bool>(alive_), status, bytes, began = executor_.now()] {
        if (alive.expired()) return;
        --writing_;
        unwritten_ -= bytes;
        pause_ = std::max(limits_.flush,
                          std::min((executor_.now() - began) * kPauseOfWriting, kLongestPause));
        if (std::exchange(failed_, !*status) != !*status && !*status) {
          log_.error("logs of nodes cannot be written", {{"why", status->error().text()}});
        }
        if (std::exchange(due_, false)) arm();
      });
}

bool NodeLogs::is_wanted(const Wanted& wanted, const NodeLogLine& line) {
  if (line.time < wanted.since) return false;
  return wanted.grep == nullptr || wanted.grep->matches(line.source + ": " + line.text);
}

// The worker does one job after the other: what was added before is written by then.
void NodeLogs::read(const std::string& node, Wanted wanted, Found found) {
  write_out();
  auto result = std::make_shared<Result<std::vector<NodeLogLine>>>();
  worker_->run([&disk = disk_, path = path_of(node), wanted = std::move(wanted),
                result] { *result = read_log(disk, path, wanted); },
               [alive = std::weak_ptr<bool>(alive_), result, found = std::move(found)]() mutable {
                 if (!alive.expired()) found(*std::move(result));
               });
}

}  // namespace drover::daemons
