// The cluster as a document: the inverse of applying one.
#pragma once

#include "cluster/declare/plan.hpp"

namespace drover::cluster {

/// Every object as a document, fields at their defaults left out, sections absent where empty;
/// nodes that are equal in all fields under one bracket range. Stable: an equal cluster gives an
/// equal document, and applying it to an empty cluster gives a cluster that exports the same.
json::value export_document(const InForce& in_force);

}  // namespace drover::cluster
