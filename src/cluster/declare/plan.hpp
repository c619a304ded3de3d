// What applying a document would do: the objects to make, change and remove, what stands in the way
// and what is left alone. Pure.
#pragma once

#include "cluster/declare/document.hpp"
#include "cluster/declare/fields.hpp"
#include "cluster/declare/merge.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// The objects in force, each with all its fields.
using InForce = std::map<ObjectName, FieldSet>;

struct ApplyOptions {
  bool prune = false;  ///< remove what was applied before and is no longer in the document
  bool force = false;  ///< the document wins over what others changed
};

enum class PlanAction : uint8_t { create, change, remove };
std::span<const std::string_view> enum_names(PlanAction);

struct PlannedObject {
  ObjectName object;
  PlanAction action = PlanAction::create;
  std::vector<FieldChange> changes;
  FieldSet result;  ///< as it will be; empty when it is removed
};

/// A field that somebody else changed since the document was applied last.
struct Disputed {
  ObjectName object;
  Difference difference;
};

struct Plan {
  std::vector<PlannedObject> objects;  ///< in the order of sections and names
  std::vector<Disputed> conflicts;     ///< not empty: nothing may be applied
  std::vector<Disputed> kept;
  std::vector<ObjectName> orphans;  ///< applied before, no longer in the document, not pruned
  std::vector<Mistake> problems;    ///< rules broken by what the objects would be
  Document applied;                 ///< what to remember when this has been applied

  [[nodiscard]] bool changes_nothing() const { return objects.empty(); }
};

/// `base`: what was applied last under this document's name; null: nothing yet. Rules that concern
/// one object alone are checked; those between objects are for the mutation.
Plan make_plan(const InForce& in_force, const Document* base, const Document& document,
               ApplyOptions options);

/// One line of a plan's summary: objects with equal changes together.
struct FoldedChange {
  Section section = Section::nodes;
  std::string names;  ///< folded
  size_t count = 0;
  PlanAction action = PlanAction::create;
  std::vector<FieldChange> changes;
};
std::vector<FoldedChange> fold_plan(const std::vector<PlannedObject>& objects);

}  // namespace drover::cluster
