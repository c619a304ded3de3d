// The screens of `drover top`.
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/top/board.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace drover::cli::top {
namespace {

constexpr size_t kBar = 10;
constexpr size_t kLeastWidth = 40;
constexpr size_t kLeastHeight = 10;
/// Below these the list itself would have no room.
constexpr size_t kHeightForChanges = 18;
constexpr size_t kRecentChanges = 5;

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kHelp{
    {{"up, down, j, k", "choose a node"},
     {"page up, page down, space", "a screen further"},
     {"home, end, g, G", "the first, the last"},
     {"enter", "everything about the chosen node; escape goes back"},
     {"/", "filter: words that a node's line must have; enter keeps it, escape drops it"},
     {"s", "sort by the next of name, phase, load, cpu, memory, since"},
     {"r", "the other way round"},
     {"d", "daemons and what is wrong"},
     {"c", "changes as they come"},
     {"?", "this help"},
     {"q", "leave"},
     {"Ctrl-C", "leave from anywhere"}}};

std::string bytes_text(double bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, bytes < 10 && unit > 0 ? 1 : 0, kUnits.at(unit));
}

std::string bar(double share) {
  const auto full = static_cast<size_t>(std::lround(std::clamp(share, 0.0, 1.0) * kBar));
  return "[" + std::string(full, '|') + std::string(kBar - full, ' ') + "]";
}

Tone tone_of_share(double share) {
  if (share > 0.95) return Tone::bad;
  return share > 0.8 ? Tone::warning : Tone::plain;
}

std::string percent_text(std::optional<double> percent) {
  return percent ? fmt::format("{:.0f}", *percent) : "-";
}

/// "998 node_up  2 lost", the most frequent first.
std::vector<Piece> counts(std::string_view title, const std::map<std::string, size_t>& by_state) {
  std::vector<std::pair<size_t, std::string>> sorted;
  for (const auto& [state, count] : by_state) sorted.emplace_back(count, state);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<Piece> out{{std::string(title), Tone::faint}};
  for (const auto& [count, state] : sorted) {
    out.push_back({fmt::format("  {} ", count), Tone::plain});
    out.push_back({state, tone_of_state(state)});
  }
  if (sorted.empty()) out.push_back({"  none", Tone::plain});
  return out;
}

/// Widths of the list's columns: what is left goes to WHY.
struct Widths {
  size_t name = 14;
  size_t phase = 10;
  size_t service = 14;
  size_t number = 6;
  size_t since = 6;
};

Widths widths_for(size_t width, size_t longest_name) {
  Widths out;
  out.name = std::min(longest_name + 2, std::max<size_t>(14, width / 4));
  if (width < 72) out.service = 0;
  return out;
}

}  // namespace

Row Board::sums_row() const {
  double load = 0;
  double used = 0;
  double total = 0;
  uint64_t cpus = 0;
  size_t heard = 0;
  for (const TopNode* node : shown_) {
    if (!node->load && !node->memory_used) continue;
    ++heard;
    load += node->load.value_or(0);
    used += node->memory_used.value_or(0);
    total += node->memory_total.value_or(0);
    cpus += node->cpus;
  }
  if (heard == 0) return {{{"load, memory: no node has sent any yet", Tone::faint}}};
  const double load_share = cpus == 0 ? 0 : load / static_cast<double>(cpus);
  const double memory_share = total <= 0 ? 0 : used / total;
  return {{{"load  ", Tone::faint},
           {bar(load_share), tone_of_share(load_share)},
           {fmt::format(" {:.1f} on {} cpus   ", load, cpus), Tone::plain},
           {"memory  ", Tone::faint},
           {bar(memory_share), tone_of_share(memory_share)},
           {fmt::format(" {} of {}", bytes_text(used), bytes_text(total)), Tone::plain}}};
}

std::vector<Row> Board::head(size_t width, WallTime now) const {
  std::vector<Row> out;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::string left =
      fmt::format(" drover top   cluster {}   {}", data_.cluster, data_.status);
  const std::string right = fmt::format("{}   {:%H:%M:%S} UTC ", data_.answered_by, seconds);
  const size_t wide = display_width(right);
  Row title{{{fit(left, width > wide ? width - wide : width), Tone::plain}, {right, Tone::plain}}};
  title.marked = true;
  out.push_back(std::move(title));
  std::map<std::string, size_t> phases;
  std::map<std::string, size_t> services;
  for (const TopNode* node : shown_) {
    ++phases[node->phase];
    ++services[node->service];
  }
  out.push_back({counts(fmt::format("nodes {}", shown_.size()), phases)});
  out.push_back({counts("service", services)});
  out.push_back(sums_row());
  out.push_back(problem_row(width));
  return out;
}

Row Board::problem_row(size_t width) const {
  if (!trouble_.empty()) return {{{trouble_, Tone::bad}}};
  if (data_.problems.empty()) return {};
  const TopProblem& first = data_.problems.front();
  const size_t others = data_.problems.size() - 1;
  const std::string more = others == 0 ? "" : fmt::format(" (and {} more: d)", others);
  const std::string severity = first.severity + ": ";
  const size_t wide = display_width(severity) + display_width(more);
  return {{{severity, first.severity == "error" ? Tone::bad : Tone::warning},
           {fit(first.text, std::min(display_width(first.text), width - std::min(width, wide))),
            Tone::plain},
           {more, Tone::plain}}};
}

Row Board::foot(size_t width) const {
  if (typing_) return {{{"/" + filter_, Tone::strong}, {"_", Tone::faint}}};
  std::string keys = "enter details  / filter  s sort  d daemons  c changes  ? help  q quit";
  if (view_ != View::nodes) keys = "arrows scroll  escape back  ? help  q back";
  std::string state = fmt::format("sort {}{}", sort_name(sort_), reversed_ ? " reversed" : "");
  if (!filter_.empty()) state = fmt::format("/{}  {}", filter_, state);
  const size_t wide = display_width(state);
  if (view_ == View::nodes && wide + 2 < width) {
    return {
        {{fit(keys, width - wide - 1), Tone::faint}, {" ", Tone::plain}, {state, Tone::strong}}};
  }
  return {{{fit(keys, width), Tone::faint}}};
}

Row Board::node_row(const TopNode& node, size_t width, WallTime now) const {
  const Widths widths = widths_for(width, name_width_);
  const double memory = node.memory_total && node.memory_used && *node.memory_total > 0
                            ? *node.memory_used / *node.memory_total
                            : -1;
  Row row;
  const auto add = [&](std::string_view text, size_t columns, Tone tone = Tone::plain,
                       bool right = false) {
    if (columns == 0) return;
    row.pieces.push_back({fit(text, columns - 1, right) + " ", tone});
  };
  add(node.name, widths.name, Tone::strong);
  add(node.phase, widths.phase, tone_of_state(node.phase));
  add(node.service, widths.service, tone_of_state(node.service));
  add(node.load ? fmt::format("{:.1f}", *node.load) : "-", widths.number + 1, Tone::plain, true);
  add(percent_text(node.cpu), widths.number, tone_of_share(node.cpu.value_or(0) / 100), true);
  add(memory < 0 ? "-" : fmt::format("{:.0f}", memory * 100), widths.number, tone_of_share(memory),
      true);
  add(node.since.empty() ? "" : age_text(node.since, now), widths.since, Tone::plain, true);
  row.pieces.push_back({" " + node.why, Tone::faint});
  return row;
}

std::vector<Row> Board::list(size_t width, size_t height, WallTime now) {
  std::vector<Row> out;
  const Widths widths = widths_for(width, name_width_);
  std::string titles =
      fit("NODE", widths.name) + fit("PHASE", widths.phase) + fit("SERVICE", widths.service) +
      fit("LOAD", widths.number, true) + " " + fit("CPU%", widths.number - 1, true) + " " +
      fit("MEM%", widths.number - 1, true) + " " + fit("SINCE", widths.since - 1, true) + "  WHY";
  out.push_back({{{std::move(titles), Tone::strong}}});
  page_ = std::max<size_t>(height - 1, 1);
  if (at_ < top_) top_ = at_;
  if (at_ >= top_ + page_) top_ = at_ - page_ + 1;
  for (size_t i = top_; i < shown_.size() && out.size() < height; ++i) {
    Row row = node_row(*shown_[i], width, now);
    row.marked = i == at_;
    out.push_back(std::move(row));
  }
  if (shown_.empty()) {
    out.push_back(
        {{{data_.nodes.empty() ? "no nodes" : "no node passes the filter", Tone::faint}}});
  }
  return out;
}

std::vector<Row> Board::recent(size_t height) const {
  std::vector<Row> out;
  out.push_back({{{"CHANGES", Tone::strong}}});
  const size_t first = changes_.size() - std::min(changes_.size(), height - 1);
  for (size_t i = first; i < changes_.size(); ++i) {
    out.push_back({{{changes_[i], Tone::plain}}});
  }
  if (changes_.empty()) out.push_back({{{"none since this began", Tone::faint}}});
  return out;
}

void Board::add_nodes(Frame& to, size_t room, bool with_changes, WallTime now) {
  const size_t below = with_changes ? kRecentChanges + 1 : 0;
  const auto add = [&to](std::vector<Row> rows, size_t count) {
    rows.resize(count);
    std::move(rows.begin(), rows.end(), std::back_inserter(to.rows));
  };
  add(list(to.width, room - below, now), room - below);
  if (with_changes) add(recent(below), below);
}

std::vector<Row> Board::daemon_lines() const {
  std::vector<Row> out;
  out.push_back({{{fit("DAEMON", 16) + fit("ROLE", 12) + fit("STATE", 10) + fit("VERSION", 10) +
                       fit("RESTARTS", 9, true) + "  WHY",
                   Tone::strong}}});
  for (const TopDaemon& daemon : data_.daemons) {
    out.push_back({{{fit(daemon.name, 15) + " " + fit(daemon.role, 12), Tone::plain},
                    {fit(daemon.state, 10), tone_of_state(daemon.state)},
                    {fit(daemon.version, 10) + fit(daemon.restarts, 9, true) + "  ", Tone::plain},
                    {daemon.why, Tone::faint}}});
  }
  out.emplace_back();
  for (const TopProblem& problem : data_.problems) {
    const Tone tone = problem.severity == "error" ? Tone::bad : Tone::warning;
    out.push_back({{{fit(problem.severity, 8), tone}, {problem.text, Tone::plain}}});
    out.push_back({{{"        next: " + problem.next, Tone::faint}}});
  }
  return out;
}

std::vector<Row> Board::view_lines() const {
  std::vector<Row> out;
  switch (view_) {
    case View::daemons:
      return daemon_lines();
    case View::changes:
      for (const std::string& change : changes_) out.push_back({{{change, Tone::plain}}});
      if (changes_.empty()) out.push_back({{{"no change since this began", Tone::faint}}});
      break;
    case View::node:
      for (const auto& [path, value] : details_) {
        out.push_back({{{fit(path, 28) + " ", Tone::faint}, {value, tone_of_state(value)}}});
      }
      if (details_.empty()) out.push_back({{{"reading " + selected_ + " ..", Tone::faint}}});
      break;
    case View::help:
      for (const auto& [keys, what] : kHelp) {
        out.push_back({{{fit(keys, 28), Tone::strong}, {std::string(what), Tone::plain}}});
      }
      break;
    case View::nodes:
      break;
  }
  return out;
}

Frame Board::frame(size_t width, size_t height, WallTime now) {
  width = std::max(width, kLeastWidth);
  height = std::max(height, kLeastHeight);
  Frame out{width, head(width, now)};
  const size_t room = height - out.rows.size() - 1;
  if (view_ == View::nodes) {
    add_nodes(out, room, height >= kHeightForChanges, now);
  } else {
    std::vector<Row> lines = view_lines();
    page_ = room;
    // The last screen stays full: scrolling ends where the last line is at the bottom.
    at_ = std::min(at_, lines.size() > room ? lines.size() - room : 0);
    for (size_t i = at_; i < lines.size() && i < at_ + room; ++i) {
      out.rows.push_back(std::move(lines[i]));
    }
    out.rows.resize(height - 1);
  }
  out.rows.push_back(foot(width));
  return out;
}

}  // namespace drover::cli::top
