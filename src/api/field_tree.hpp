// The fields of a type as a tree of names, and the choice of some of them: `fields=` and `sort=`.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// Names below a value. Lists are looked through: the fields of a list are those of its items.
struct FieldTree {
  std::map<std::string, FieldTree, std::less<>> children;
  bool any = false;    ///< a map or free JSON: it has names that its type does not say
  bool plain = false;  ///< a map to plain values: all that is left of a path is one name

  /// Of the type called `name` in `schemas`.
  static FieldTree of(const SchemaSet& schemas, std::string_view name);
  /// "agent, name, phase" ..
  [[nodiscard]] std::string names() const;
};

/// Ok when `path` ("phase.state") names a field; otherwise invalid_argument naming the parameter,
/// the nearest name and every known one.
Status check_field(const FieldTree& known, std::string_view parameter, std::string_view path);

/// Some fields, whole or in part. A chosen field without chosen children is taken whole.
class FieldChoice {
 public:
  /// "name,phase.state": dotted paths with commas between; each must be known.
  static Result<FieldChoice> parse(std::string_view text, const FieldTree& known);

  /// Appends `json` with nothing but the chosen fields, in the order in which they stand there.
  void append(std::string& out, std::string_view json) const;

 private:
  struct Branch {
    std::map<std::string, Branch, std::less<>> children;
  };
  static void append(std::string& out, std::string_view json, const Branch& branch);
  Branch root_;
};

/// The text of the value at a dotted path, or "null" when it is not there.
std::string_view value_at(std::string_view json, std::string_view path);

}  // namespace drover::api
