// Stored objects as the document says them: fields at their defaults left out.
#pragma once

#include "base/json.hpp"
#include "cluster/declare/fields.hpp"

#include <string>

namespace drover::cluster {

/// Appends what to_object(section, read_object(section, stored), true) is, as compact JSON, without
/// taking the object apart: an export of ten thousand nodes is mostly this. `stored` of a node is
/// its whole body, its role beside the spec.
void append_brief(std::string& out, Section section, const json::object& stored);

}  // namespace drover::cluster
