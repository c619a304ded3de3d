#include "tree/record_window.hpp"

#include "base/json_values.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/core.h>

namespace drover::tree {
namespace {

tl::unexpected<Error> wrong(std::string what) {
  return fail(Code::invalid_argument, "record window: " + std::move(what));
}

std::optional<uint64_t> number(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<uint64_t>(value.get_int64());
  return std::nullopt;
}

/// [a, b], both numbers.
std::optional<std::pair<uint64_t, uint64_t>> pair_of(const json::value& value) {
  const auto* array = value.if_array();
  if (array == nullptr || array->size() != 2) return std::nullopt;
  const auto first = number((*array)[0]);
  const auto second = number((*array)[1]);
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

}  // namespace

RecordWindow::Verdict RecordWindow::check(uint64_t incarnation, uint64_t sequence,
                                          std::string_view snapshot_kind) const {
  const auto known = incarnations_.find(incarnation);
  if (known == incarnations_.end()) {
    const bool full = incarnations_.size() >= kIncarnations;
    if (full && incarnation < incarnations_.begin()->first) return Verdict::stale;
  } else {
    const Ranges& ranges = known->second;
    const auto after = ranges.upper_bound(sequence);
    const bool has_before = after != ranges.begin();
    if (has_before && std::prev(after)->second >= sequence) return Verdict::duplicate;
    const bool joins = (has_before && std::prev(after)->second + 1 == sequence) ||
                       (after != ranges.end() && after->first == sequence + 1);
    // The lowest gap may always be filled, or nothing would ever close it.
    const bool in_order = ranges.empty() || sequence < ranges.begin()->first;
    if (!joins && !in_order && ranges.size() >= kRanges) return Verdict::not_yet;
  }
  if (!snapshot_kind.empty()) {
    const auto newest = newest_.find(snapshot_kind);
    if (newest != newest_.end() && newest->second > Place(incarnation, sequence)) {
      return Verdict::outdated;
    }
  }
  return Verdict::fresh;
}

void RecordWindow::mark(uint64_t incarnation, uint64_t sequence, std::string_view snapshot_kind) {
  Ranges& ranges = incarnations_[incarnation];
  const auto after = ranges.upper_bound(sequence);
  const auto before = after == ranges.begin() ? ranges.end() : std::prev(after);
  if (before == ranges.end() || before->second < sequence) {
    uint64_t first = sequence;
    uint64_t last = sequence;
    if (after != ranges.end() && sequence + 1 == after->first) {
      last = after->second;
      ranges.erase(after);
    }
    if (before != ranges.end() && before->second + 1 == sequence) first = before->first;
    ranges[first] = last;
  }
  while (incarnations_.size() > kIncarnations) incarnations_.erase(incarnations_.begin());
  if (snapshot_kind.empty()) return;
  const auto newest = newest_.find(snapshot_kind);
  const Place place(incarnation, sequence);
  if (newest != newest_.end()) {
    newest->second = std::max(newest->second, place);
  } else if (newest_.size() < kKinds) {
    newest_.emplace(snapshot_kind, place);
  }
}

std::string RecordWindow::encode() const {
  json::array incarnations;
  for (const auto& [incarnation, ranges] : incarnations_) {
    json::array seen;
    for (const auto& [first, last] : ranges) seen.push_back(json::array{first, last});
    incarnations.push_back(json::object{{"incarnation", incarnation}, {"seen", std::move(seen)}});
  }
  json::object newest;
  for (const auto& [kind, place] : newest_) {
    newest[kind] = json::array{place.first, place.second};
  }
  return to_text(
      json::object{{"incarnations", std::move(incarnations)}, {"newest", std::move(newest)}});
}

Result<RecordWindow> RecordWindow::decode(std::string_view text) {
  RecordWindow window;
  if (text.empty()) return window;
  DROVER_TRY(const json::value document, parse_json(text));
  const auto* object = document.if_object();
  const auto* list = object == nullptr ? nullptr : object->if_contains("incarnations");
  if (list == nullptr || !list->is_array()) return wrong("no list of incarnations");
  for (const json::value& item : list->get_array()) {
    const auto* entry = item.if_object();
    const auto* key = entry == nullptr ? nullptr : entry->if_contains("incarnation");
    const auto* seen = entry == nullptr ? nullptr : entry->if_contains("seen");
    const auto incarnation = key == nullptr ? std::nullopt : number(*key);
    if (!incarnation || seen == nullptr || !seen->is_array()) {
      return wrong("an entry without incarnation and seen");
    }
    Ranges& ranges = window.incarnations_[*incarnation];
    for (const json::value& range : seen->get_array()) {
      const auto bounds = pair_of(range);
      if (!bounds || bounds->first > bounds->second) return wrong("seen is not [first, last]");
      const bool apart = ranges.empty() || (ranges.rbegin()->second < bounds->first &&
                                            ranges.rbegin()->second + 1 < bounds->first);
      if (!apart) return wrong("the ranges of seen are not in order and apart");
      ranges.emplace_hint(ranges.end(), *bounds);
    }
  }
  if (const auto* newest = object->if_contains("newest")) {
    if (!newest->is_object()) return wrong("newest is not an object");
    for (const auto& member : newest->get_object()) {
      const auto place = pair_of(member.value());
      if (!place) return wrong("newest is not [incarnation, sequence]");
      window.newest_.emplace(member.key(), *place);
    }
  }
  return window;
}

}  // namespace drover::tree
