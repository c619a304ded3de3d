// Which records of one origin a master has applied. Pure; stored in the same transaction as the
// effect of the record, so that each record has its effect once.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace drover::tree {

/// How a master takes a record: check(); apply it if it is fresh; mark(); commit both together;
/// acknowledge. Records of empty kind (superseded) and refused ones are marked without an effect.
class RecordWindow {
 public:
  /// Incarnations remembered: a record of an older one than these is refused rather than risked
  /// twice.
  static constexpr size_t kIncarnations = 8;
  /// Stretches of seen sequences per incarnation, that is, gaps plus one.
  static constexpr size_t kRanges = 1024;
  /// Kinds whose newest record is remembered.
  static constexpr size_t kKinds = 64;

  enum class Verdict {
    fresh,      ///< not seen: apply it
    outdated,   ///< not seen, but a newer snapshot of its kind was: mark it, apply nothing
    duplicate,  ///< seen: acknowledge it again, do nothing
    stale,      ///< of an incarnation that is no longer remembered: refuse it
    not_yet,    ///< too many gaps below it: do not answer, its origin sends again in order
  };
  /// `snapshot_kind`: the record's kind when the newest of that kind replaces older ones (an
  /// inventory), else empty. Two ways up may bring such records in the wrong order.
  [[nodiscard]] Verdict check(uint64_t incarnation, uint64_t sequence,
                              std::string_view snapshot_kind) const;
  /// Notes a record as seen.
  void mark(uint64_t incarnation, uint64_t sequence, std::string_view snapshot_kind);

  /// {"incarnations":[{"incarnation":I,"seen":[[first,last],..]}],"newest":{KIND:[I,S]}},
  /// ascending.
  [[nodiscard]] std::string encode() const;
  /// invalid_argument names what is wrong. An empty text is an empty window.
  static Result<RecordWindow> decode(std::string_view text);

  bool operator==(const RecordWindow&) const = default;

 private:
  using Ranges = std::map<uint64_t, uint64_t>;  ///< first -> last, disjoint and not adjacent
  using Place = std::pair<uint64_t, uint64_t>;  ///< incarnation, sequence
  std::map<uint64_t, Ranges> incarnations_;
  std::map<std::string, Place, std::less<>> newest_;  ///< by kind, of snapshots
};

}  // namespace drover::tree
