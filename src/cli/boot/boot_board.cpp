#include "cli/boot/boot_board.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "cli/output.hpp"
#include "cli/style.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

constexpr size_t kStageWidth = 9;
constexpr size_t kBarWidth = 20;

WallTime time_at(const json::value& in, std::string_view path) {
  return from_rfc3339(text_at(in, path)).value_or(WallTime{});
}

uint64_t number_at(const json::value& in, std::string_view path) {
  const json::value* value = find_path(in, path);
  return value != nullptr && value->is_number() ? value->to_number<uint64_t>() : 0;
}

std::string padded(std::string text, size_t width) {
  const size_t has = display_width(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

/// Up to `width` columns; what is cut ends in "..".
std::string cut(const std::string& text, size_t width) {
  if (display_width(text) <= width) return text;
  std::string out = text.substr(0, width < 2 ? 0 : width - 2);
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) out.pop_back();
  return out + "..";
}

int64_t seconds(Duration span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

/// "12s", and how long the machine is still waited for once that is less than it has taken.
std::string clock_text(WallTime since, WallTime deadline, WallTime now) {
  if (since == WallTime{}) return {};
  const auto taken = std::max<Duration>(now - since, Duration::zero());
  std::string out = fmt::format("{}s", seconds(taken));
  if (deadline == WallTime{}) return out;
  if (now > deadline) return out + fmt::format(", {}s too long", seconds(now - deadline));
  if (deadline - now < taken) out += fmt::format(", {}s left", seconds(deadline - now));
  return out;
}

}  // namespace

std::string progress_bar(uint64_t done, uint64_t total) {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  const double have = static_cast<double>(done) / kMebibyte;
  if (total == 0) return fmt::format("{:.1f} MiB", have);
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<size_t>(share * kBarWidth);
  return fmt::format("[{}{}] {:3.0f}%  {:.1f}/{:.1f} MiB", std::string(full, '#'),
                     std::string(kBarWidth - full, '.'), share * 100, have,
                     static_cast<double>(total) / kMebibyte);
}

void BootBoard::take_node(const json::value& node, uint64_t revision, bool quiet) {
  const std::string name = text_at(node, "name");
  const std::string phase = text_at(node, "phase.state");
  if (name.empty() || phase.empty()) return;
  Node& known = nodes_[name];
  if (revision < known.revision) return;
  known.revision = revision;
  longest_ = std::max(longest_, display_width(name));
  const WallTime since = time_at(node, "phase.since");
  if (known.phase == phase && known.since == since) return;
  known.phase = phase;
  known.since = since;
  known.why = text_at(node, "phase.why");
  if (!quiet) moved_.push_back({name, phase, since, known.why});
}

void BootBoard::forget(const std::string& node) {
  nodes_.erase(node);
}

void BootBoard::take_progress(const json::value& event) {
  if (const auto ended = nodes_.find(text_at(event, "ended")); ended != nodes_.end()) {
    ended->second.boot.reset();
  }
  const json::value* boot = find_path(event, "boot");
  if (boot == nullptr || !boot->is_object()) return;
  const auto node = nodes_.find(text_at(*boot, "node"));
  if (node == nodes_.end()) return;
  node->second.boot =
      Progress{text_at(*boot, "stage"),   time_at(*boot, "since"),  text_at(*boot, "why"),
               text_at(*boot, "item"),    number_at(*boot, "done"), number_at(*boot, "total"),
               time_at(*boot, "deadline")};
}

std::string BootBoard::take_lines(WallTime began) {
  std::string out;
  for (const Moved& moved : moved_) {
    const auto ms = std::max<int64_t>(0, to_unix_ms(moved.since) - to_unix_ms(began));
    out += fmt::format("{:6} ms  {}  {}  {}\n", ms, padded(moved.node, longest_),
                       padded(moved.phase, kStageWidth), moved.why);
  }
  moved_.clear();
  return out;
}

std::string BootBoard::take_json() {
  std::string out;
  for (const Moved& moved : moved_) {
    const json::object line{{"node", moved.node},
                            {"phase", moved.phase},
                            {"since", to_rfc3339(moved.since)},
                            {"why", moved.why}};
    out += terminal_safe_json(to_text(line)) + "\n";
  }
  moved_.clear();
  return out;
}

BootBoard::Progress BootBoard::shown(const Node& node) {
  Progress out;
  out.stage = node.phase;
  out.since = node.since;
  out.why = node.why;
  // A boot that ended before the phase moved on says nothing any more.
  const bool current = node.boot && node.boot->since >= node.since && node.phase != "up";
  return current ? *node.boot : out;
}

std::vector<std::string> BootBoard::screen(size_t width, size_t height, WallTime now,
                                           bool colour) const {
  std::vector<std::string> out;
  const size_t room = height == 0 ? nodes_.size() : height - 1;
  const bool all = nodes_.size() <= room;
  for (const auto& [name, node] : nodes_) {
    if (!all && (node.phase == "up" || out.size() == room)) continue;
    const Progress at = shown(node);
    const std::string bar = at.item.empty() ? "" : progress_bar(at.done, at.total) + "  ";
    const std::string clock = at.stage == "up" ? "" : clock_text(at.since, at.deadline, now) + "  ";
    const std::string head = padded(name, longest_) + "  ";
    const std::string stage = padded(at.stage, kStageWidth) + "  ";
    std::string rest = bar + clock + at.why;
    if (width != 0) {
      const size_t used = display_width(head) + display_width(stage);
      rest = cut(rest, width > used + 1 ? width - used - 1 : 0);
    }
    const bool late = at.deadline != WallTime{} && now > at.deadline;
    out.push_back(head + toned(stage, late ? Tone::bad : tone_of_state(at.stage), colour) + rest);
  }
  out.push_back(totals());
  return out;
}

std::string BootBoard::totals() const {
  std::map<std::string, size_t> counts;
  for (const auto& [name, node] : nodes_) ++counts[node.phase];
  std::vector<std::string> parts;
  for (const auto& [phase, number] : counts) parts.push_back(fmt::format("{} {}", number, phase));
  return fmt::format("{} nodes: {}", nodes_.size(), fmt::join(parts, ", "));
}

size_t BootBoard::count(std::string_view phase) const {
  return static_cast<size_t>(std::ranges::count_if(
      nodes_, [phase](const auto& entry) { return entry.second.phase == phase; }));
}

std::string BootBoard::not_up() const {
  std::map<std::string, std::vector<std::string>> by_phase;
  for (const auto& [name, node] : nodes_) {
    if (node.phase != "up") by_phase[node.phase].push_back(name);
  }
  std::vector<std::string> parts;
  for (const auto& [phase, names] : by_phase) parts.push_back(fold_names(names) + " " + phase);
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace drover::cli
