// Undoing a change of the log by a new one: what people said is taken back, field by field; what
// was seen of a node (phase, power, inventory) is never.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/definition_writer.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// One field that differs between two bodies.
struct FieldChange {
  static constexpr std::string_view kTypeName = "FieldChange";
  std::string field;  ///< "service.state"; a list is one field
  RawJson before;     ///< null: it was not there
  RawJson after;      ///< null: it is gone
  bool operator==(const FieldChange&) const = default;
  void describe(Visitor& v);
};

/// What differs between two JSON bodies, by name of the field; an absent body has no fields.
/// corrupt when one does not parse.
Result<std::vector<FieldChange>> differences(const std::optional<std::string>& before,
                                             const std::optional<std::string>& after);

/// Whether changes of this kind can be undone at all: node, group, profile, network,
/// setting.
bool can_be_undone(std::string_view kind);

/// One change to undo.
struct UndoRequest {
  store::Change change;
  std::string name_now;  ///< of a node: what it is called now; empty: it is not there
  /// Set when the change is half of a rename: the name that the node had before.
  std::string renamed_from;
  bool force = false;  ///< also where a later change touched the same
};

/// What undoing did.
struct Undone {
  static constexpr std::string_view kTypeName = "Undone";
  uint64_t sequence = 0;  ///< of the change that was undone
  std::string kind;
  std::string key;
  std::string what;                 ///< restored, removed, created again or renamed
  std::vector<FieldChange> fields;  ///< how they are changed now
  void describe(Visitor& v);
};

/// Undoes it inside the mutation; `writer.finish()`, and the rules between settings, are left to
/// the caller. conflict when a later change touched the same fields: `contested` then names them.
/// invalid_argument when there is nothing that could be undone. Rules hold as for any change.
Result<Undone> undo(store::Transaction& tx, DefinitionWriter& writer, const UndoRequest& request,
                    std::vector<std::string>& contested);

}  // namespace drover::cluster
