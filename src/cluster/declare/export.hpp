// The cluster as a document: the inverse of applying one.
#pragma once

#include "cluster/declare/fields.hpp"

#include <string>
#include <vector>

namespace drover::cluster {

/// An object as the document says it.
struct BriefObject {
  ObjectName object;
  std::string fields;  ///< JSON of an object, fields at their defaults left out
};

/// The objects as a document in JSON, sections absent where empty; nodes that are equal in all
/// fields under one bracket range. Stable: an equal cluster gives an equal document, and applying
/// it to an empty cluster gives a cluster that exports the same.
std::string export_document(std::vector<BriefObject> objects);

}  // namespace drover::cluster
