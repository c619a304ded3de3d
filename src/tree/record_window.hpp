// Which records of one origin a master has applied. Pure; stored in the same transaction as the
// effect of the record, so that each record has its effect once.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::tree {

class RecordWindow {
 public:
  /// Incarnations remembered: a record of an older one than these is refused rather than risked
  /// twice.
  static constexpr size_t kIncarnations = 8;
  /// Gaps allowed above the watermark.
  static constexpr size_t kRanges = 1024;

  enum class Verdict {
    fresh,      ///< not seen: apply it, then mark() it
    duplicate,  ///< seen: acknowledge it again, do nothing
    stale,      ///< of an incarnation that is no longer remembered: refuse it
    not_yet,    ///< too many gaps below it: do not answer, its origin will send again in order
  };
  [[nodiscard]] Verdict check(uint64_t incarnation, uint64_t sequence) const;
  /// Notes a record as seen. Refused and superseded records (empty kind) are marked as well, since
  /// their origin will not send them again.
  void mark(uint64_t incarnation, uint64_t sequence);

  /// {"incarnations":[{"incarnation":I,"seen":[[first,last],..]}]}, in ascending order.
  [[nodiscard]] std::string encode() const;
  /// invalid_argument names what is wrong. An empty text is an empty window.
  static Result<RecordWindow> decode(std::string_view text);

  bool operator==(const RecordWindow&) const = default;

 private:
  using Ranges = std::map<uint64_t, uint64_t>;  ///< first -> last, disjoint and not adjacent
  std::map<uint64_t, Ranges> incarnations_;
};

}  // namespace drover::tree
