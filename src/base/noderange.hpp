// Noderange: the expression language that names nodes, and its inverse, folding. Pure.
// Grammar and choices: docs/noderange.md (blueprint section 9).
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

/// Limits against hostile input. A range over one of them is refused with Code::too_large.
inline constexpr size_t kMaxRangeText = size_t{4} << 20;  ///< bytes of one expression
inline constexpr size_t kMaxRangeNames = 1'000'000;       ///< names in any intermediate set
inline constexpr size_t kMaxRangeDepth = 64;              ///< nested parentheses

/// What an expression may refer to, supplied by whoever knows the cluster. Called only during
/// evaluate(), on the caller's thread; answers must not change during one evaluation.
class NodeNames {
 public:
  NodeNames() = default;
  NodeNames(const NodeNames&) = delete;
  NodeNames& operator=(const NodeNames&) = delete;
  virtual ~NodeNames() = default;

  /// Every node's name, each once, in any order (natural order is fastest).
  [[nodiscard]] virtual std::vector<std::string> all() const = 0;
  [[nodiscard]] virtual bool is_node(std::string_view name) const = 0;
  /// The node behind an alias; nothing when `alias` is not one.
  [[nodiscard]] virtual std::optional<std::string> node_of_alias(std::string_view alias) const = 0;
  /// A group's member nodes, in any order; nothing when there is no such group (an empty group is
  /// legal and empty).
  [[nodiscard]] virtual std::optional<std::vector<std::string>> members(
      std::string_view group) const = 0;
  /// Whether nodes can have a field of this (dotted) name at all.
  [[nodiscard]] virtual bool has_attribute(std::string_view attribute) const = 0;
  /// A node's value of a field; nothing when unset, which compares as "".
  [[nodiscard]] virtual std::optional<std::string> attribute(std::string_view node,
                                                             std::string_view attribute) const = 0;
  /// Whether an attribute may have several values, which attribute() then joins by commas. A
  /// comparison with it holds when it holds for one of them; != and !~ when for none.
  [[nodiscard]] virtual bool is_list(std::string_view) const { return false; }
};

/// The nodes that `range` names, in natural order, each once. Errors: invalid_argument with the
/// column of a mistake (an empty range too); not_found listing every unknown name, folded;
/// too_large. A failed evaluation names no node at all.
Result<std::vector<std::string>> evaluate(std::string_view range, const NodeNames& names);

/// The same by syntax alone, without a cluster: every name stands for itself. Spans, brackets,
/// parentheses and set operators work; groups (@x), *, regular expressions and attributes are
/// errors. The empty text is the empty set, so this is the inverse of fold_names().
/// Measured: 100,000 names in under 50 ms at -O1.
Result<std::vector<std::string>> expand_names(std::string_view range);

/// How many names expand_names() would give.
Result<size_t> count_names(std::string_view range);

struct FoldOptions {
  bool steps = false;  ///< write n[1-9/2] rather than n[1,3,5,7,9]
};

/// The shortest text this program knows for a set of names: rack[1-2]n[01-16]. Brackets over any
/// number of fields, padding kept, natural order, duplicates dropped. Total: names that the grammar
/// cannot write bare are quoted, and expand_names(fold_names(x)) is x sorted and unique, always.
std::string fold_names(const std::vector<std::string>& names, FoldOptions options = {});

/// A mistake in an expression's syntax and where it is, for a caret under the text.
struct RangeMistake {
  size_t offset = 0;  ///< bytes from the start
  std::string what;
};
/// What an expression refers to, as it is written, each once, in order of appearance.
struct RangeNames {
  std::vector<std::string> groups;      ///< @x, and each of @x[1-2]
  std::vector<std::string> words;       ///< bare or quoted names: nodes, aliases or groups
  std::vector<std::string> attributes;  ///< left sides of comparisons
};
/// The empty text refers to nothing. Errors as of expand_names(); names made by brackets and spans
/// are left out of `words`.
Result<RangeNames> names_in(std::string_view range);

/// Checks syntax alone (clients do so before they ask a server); nothing when it is right.
std::optional<RangeMistake> find_mistake(std::string_view range);

}  // namespace drover
