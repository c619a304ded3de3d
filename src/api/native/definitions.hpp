// What groups and profiles share in the API: named definitions that are made, replaced and patched
// as a whole.
#pragma once

#include "api/request.hpp"
#include "api/router.hpp"
#include "base/describe.hpp"
#include "base/merge_patch.hpp"
#include "base/result.hpp"
#include "cluster/group.hpp"
#include "cluster/list_edit.hpp"
#include "cluster/profile.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// One edit of a list in a group or profile, from what is there then.
struct ListEdit {
  static constexpr std::string_view kTypeName = "ListEdit";
  std::string field;
  cluster::EditHow how = cluster::EditHow::add;
  std::vector<std::string> values;
  void describe(Visitor& v);
};

/// What POST ../rename takes.
struct RenameRequest {
  static constexpr std::string_view kTypeName = "Rename";
  std::string to;
  std::string why;
  void describe(Visitor& v);
  /// For the change log: the history of either name leads to the other.
  [[nodiscard]] std::string reason(const std::string& from) const;
};

/// What PATCH takes, for the contract; null takes a field back to its default.
struct GroupPatch {
  static constexpr std::string_view kTypeName = "GroupPatch";
  std::optional<std::string> description;
  std::optional<std::string> nodes;
  std::optional<std::string> range;
  std::optional<std::vector<std::string>> profiles;
  std::optional<RawJson> attributes;
  std::optional<int32_t> priority;
  std::vector<ListEdit> edits;
  void describe(Visitor& v);
};
struct ProfilePatch {
  static constexpr std::string_view kTypeName = "ProfilePatch";
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> inherits;
  std::optional<RawJson> attributes;
  std::vector<ListEdit> edits;
  void describe(Visitor& v);
};

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

/// The body as a merge patch: an object that names no `name`; `rename` says what changes that.
Result<std::string> merge_patch_of(const RequestPtr& request, std::string_view rename = {});
template <Described T>
Result<T> patched(const T& value, std::string_view patch) {
  DROVER_TRY(const std::string text, merge_patch_text(encode(value), patch));
  return decode_text<T>(text);
}

/// A merge patch that names no `name`, and edits of lists.
struct DefinitionPatch {
  std::string merge;
  std::vector<ListEdit> edits;
};
Result<DefinitionPatch> patch_of(const RequestPtr& request);

/// The list that edits of this field are about; nullptr: there is none.
std::vector<std::string>* list_called(cluster::Group& group, std::string_view field);
std::vector<std::string>* list_called(cluster::Profile& profile, std::string_view field);
/// invalid_argument names the edit ("edits[1]") that is about no list.
Error no_such_list(size_t index, const ListEdit& edit);

template <Described T>
Result<T> patched(const T& value, const DefinitionPatch& patch) {
  DROVER_TRY(T out, patched(value, std::string_view(patch.merge)));
  for (size_t i = 0; i < patch.edits.size(); ++i) {
    const ListEdit& edit = patch.edits[i];
    std::vector<std::string>* const list = list_called(out, edit.field);
    if (list == nullptr) return tl::unexpected<Error>(no_such_list(i, edit));
    cluster::edit_list(*list, edit.how, edit.values);
  }
  return out;
}

}  // namespace drover::api
