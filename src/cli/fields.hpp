// The fields of what the API shows, from the descriptions of its structs: for explain and
// completion.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// One field, by its dotted path; elements of a list are named by the list's own path.
struct FieldInfo {
  std::string path;
  std::string doc;                   ///< one sentence
  std::string type;                  ///< "text", "time", "list of text", "one of up, lost", ..
  std::vector<std::string> choices;  ///< of "one of"
  bool holds_fields = false;
};

/// A kind of object and its fields, outer ones before what they hold.
struct FieldKind {
  std::string name;
  std::string help;
  std::vector<FieldInfo> fields;
};

/// Every kind, made once.
const std::vector<FieldKind>& field_kinds();
/// nullptr when there is none of this name.
const FieldKind* find_field_kind(std::string_view name);
const FieldInfo* find_field(const FieldKind& kind, std::string_view path);

}  // namespace drover::cli
