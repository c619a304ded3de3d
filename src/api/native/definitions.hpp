// What groups and profiles share in the API: named definitions that are made, replaced and patched
// as a whole.
#pragma once

#include "api/request.hpp"
#include "api/router.hpp"
#include "base/describe.hpp"
#include "base/merge_patch.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// What PATCH takes, for the contract; null takes a field back to its default.
struct GroupPatch {
  static constexpr std::string_view kTypeName = "GroupPatch";
  std::optional<std::string> description;
  std::optional<std::string> nodes;
  std::optional<std::string> range;
  std::optional<std::vector<std::string>> profiles;
  std::optional<RawJson> attributes;
  std::optional<int32_t> priority;
  void describe(Visitor& v);
};
struct ProfilePatch {
  static constexpr std::string_view kTypeName = "ProfilePatch";
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> inherits;
  std::optional<RawJson> attributes;
  void describe(Visitor& v);
};

QueryParameter dry_run_parameter();
QueryParameter why_parameter();
/// ?why=
std::string why_of(const RequestPtr& request);

Error no_definition(std::string_view kind, const std::string& name);
/// already_exists when there is one.
Status must_be_new(store::Transaction& tx, std::string_view kind, const std::string& name);
/// 200 with the tag of a revision.
void respond_tagged(const RequestPtr& request, std::string body, uint64_t revision);

/// The body as JSON with the name of the path; invalid_argument when it names another one.
Result<std::string> body_with_name(const RequestPtr& request, const std::string& name);
template <Described T>
Result<T> named_body(const RequestPtr& request, const std::string& name) {
  DROVER_TRY(const std::string text, body_with_name(request, name));
  return decode_text<T>(text);
}

/// The body as a merge patch: an object that names no `name`.
Result<std::string> merge_patch_of(const RequestPtr& request);
template <Described T>
Result<T> patched(const T& value, std::string_view patch) {
  DROVER_TRY(const std::string text, merge_patch_text(encode(value), patch));
  return decode_text<T>(text);
}

}  // namespace drover::api
