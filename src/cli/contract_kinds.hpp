// The kinds of things that the API serves and their fields, as its contract says: the contract is
// made from the descriptions of the API's structs, and a test holds it to them.
#pragma once

#include "cli/fields.hpp"

#include <vector>

namespace drover::cli {

/// What explain knows: field_kinds(), with groups and profiles as they are shown, and every other
/// thing that some GET of the API gives. Reads the contract on the first call, in milliseconds.
const std::vector<FieldKind>& explained_kinds();

}  // namespace drover::cli
