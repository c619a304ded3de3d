// A change of the log as the API shows it.
#pragma once

#include "base/describe.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <string>

namespace drover::api {

enum class ChangeOperation : uint8_t { put, erase };
std::span<const std::string_view> enum_names(ChangeOperation);

struct ChangeView {
  static constexpr std::string_view kTypeName = "Change";
  uint64_t sequence = 0;
  WallTime time{};
  std::string actor;
  std::string via;
  std::string kind;
  std::string key;
  ChangeOperation operation = ChangeOperation::put;
  RawJson before;  ///< null: it did not exist
  RawJson after;   ///< null: it was erased
  std::string why;
  void describe(Visitor& v);
};

/// Secrets' digests are left out: kinds of the auth room show only their names.
ChangeView view_of(const store::Change& change);

}  // namespace drover::api
