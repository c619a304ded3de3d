// What nodes are given, as a document says it: lists and maps that count as one field each.
#pragma once

#include "base/json.hpp"
#include "cluster/declare/field_rows.hpp"

#include <string>

namespace drover::cluster {

/// The one spelling of such a field as compact JSON: defaults filled in, numbers and booleans that
/// YAML gives as text made what they are. What breaks a rule stays as it was written, and is
/// refused later by the rules of its struct.
std::string canonical_content(Form form, const json::value& value);

}  // namespace drover::cluster
