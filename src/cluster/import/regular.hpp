// Regular addresses as formulas: of nodes that differ in nothing but addresses that count with
// their numbers, the document needs to say it once.
#pragma once

#include "cluster/import/imported.hpp"

#include <string>
#include <utility>
#include <vector>

namespace drover::cluster {

/// Replaces IPv4 addresses of interfaces and BMCs, and NIDs, by formulas in the number that ends
/// the node's name (10.0.0.${number+100}) wherever at least two nodes agree in everything then.
/// Aliases and the rest stay as they are, so nodes with aliases or MACs are left alone.
void use_formulas(std::vector<std::pair<std::string, ImportedNode>>& nodes);

}  // namespace drover::cluster
