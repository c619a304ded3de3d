// The three-way merge of one object: what was applied last, what the document says now, and what is
// in force. Pure.
#pragma once

#include "cluster/declare/document.hpp"
#include "cluster/declare/fields.hpp"

#include <string>
#include <vector>

namespace drover::cluster {

/// A field whose value the document changes, or that others changed. Values are compact JSON; empty
/// where there is none.
struct Difference {
  std::string field;
  std::string base;      ///< as applied last
  std::string document;  ///< as the document has it; empty: it no longer says
  std::string in_force;
};

struct Merged {
  FieldSet result;
  std::vector<Difference> conflicts;  ///< changed by the document and by others, differently
  std::vector<Difference> kept;       ///< changed by others alone, and left so
};

/// Merges `entry` into `in_force` (null: there is no such object). `base`: what the document said
/// when it was applied last; null: nothing. A field that the base had and the entry has not is set
/// back to its default or, of attributes, interfaces and the BMC, removed. What neither mentions is
/// not touched. With `force` the document wins everywhere and there are no conflicts.
Merged merge(Section section, const FieldSet* in_force, const Entry* base, const Entry& entry,
             bool force);

/// Fields that differ, with the values before and after; a change of the interfaces' order alone is
/// the field "interfaces".
struct FieldChange {
  std::string field;
  std::string before;  ///< compact JSON; empty: there was none
  std::string after;   ///< empty: there is none
  bool operator==(const FieldChange&) const = default;
};
/// `before` null: of a new object what differs from the defaults.
std::vector<FieldChange> changes_between(Section section, const FieldSet* before,
                                         const FieldSet& after);

}  // namespace drover::cluster
