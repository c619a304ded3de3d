#include "api/boot_log_merge.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>

namespace drover::api {
namespace {

bool is_before(const BootLogLine& a, const BootLogLine& b) {
  if (a.node != b.node) return natural_compare(a.node, b.node) < 0;
  return a.time < b.time;
}

}  // namespace

void BootLogMerge::add(size_t source, BootLogLine line) {
  sources_.at(source).lines.push_back(std::move(line));
}

/// The source whose head comes first; null while one that is open has none to compare.
BootLogMerge::Source* BootLogMerge::first() {
  Source* best = nullptr;
  for (Source& source : sources_) {
    if (source.lines.empty()) {
      if (!source.closed) return nullptr;
      continue;
    }
    if (best == nullptr || is_before(source.lines.front(), best->lines.front())) best = &source;
  }
  return best;
}

std::vector<BootLogLine> BootLogMerge::take() {
  std::vector<BootLogLine> out;
  while (Source* const source = first()) {
    BootLogLine line = std::move(source->lines.front());
    source->lines.pop_front();
    put(std::move(line), out);
  }
  if (done()) give(out);
  return out;
}

void BootLogMerge::put(BootLogLine line, std::vector<BootLogLine>& out) {
  const bool same = line.time == last_.time && line.node == last_.node &&
                    line.source == last_.source && line.text == last_.text &&
                    line.daemon != last_.daemon;
  if (same) return;
  if (line.node != last_.node) give(out);
  last_ = line;
  if (most_ == 0) {
    out.push_back(std::move(line));
    return;
  }
  newest_.push_back(std::move(line));
  if (newest_.size() > most_) newest_.pop_front();
}

void BootLogMerge::give(std::vector<BootLogLine>& out) {
  std::move(newest_.begin(), newest_.end(), std::back_inserter(out));
  newest_.clear();
}

bool BootLogMerge::done() const {
  return std::ranges::all_of(
      sources_, [](const Source& source) { return source.closed && source.lines.empty(); });
}

}  // namespace drover::api
