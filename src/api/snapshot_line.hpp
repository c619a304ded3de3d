// One line of GET /snapshot: a definition, or at the end where to watch on from.
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::api {

/// Kind of the last line of a snapshot.
inline constexpr std::string_view kSnapshotEnd = "sequence";

struct SnapshotLine {
  static constexpr std::string_view kTypeName = "SnapshotLine";
  std::string kind;
  std::string key;
  uint64_t revision = 0;
  RawJson body = {"null"};
  bool operator==(const SnapshotLine&) const = default;
  void describe(Visitor& v);
};

}  // namespace drover::api
