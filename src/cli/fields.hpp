// The fields of what the API shows, from the descriptions of its structs: for explain and
// completion.
#pragma once

#include <map>
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

/// The fields of a type of JSON schemas (type to schema, as OpenAPI has them).
std::vector<FieldInfo> flattened(const std::map<std::string, std::string>& schemas,
                                 std::string_view type);

/// Kinds whose structs this program has itself, made once; contract_kinds.hpp has all of the API.
const std::vector<FieldKind>& field_kinds();
/// nullptr when there is none of this name.
const FieldKind* find_field_kind(std::string_view name);
const FieldInfo* find_field(const FieldKind& kind, std::string_view path);

}  // namespace drover::cli
