// Found machines become nodes: the plan of an adoption, carried out inside one store mutation.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"
#include "cluster/discovery/adopt_plan.hpp"
#include "store/store.hpp"

#include <string>

namespace drover::cluster {

/// Reads what scans and looks have found, plans, and writes the nodes, their group, and the names
/// of their BMCs. All or nothing; what a machine says wrongly is in its row and no error. Errors:
/// those of check(), not_found for a group, conflict where two nodes would have one address.
/// `fresh_id` gives stable ids.
Result<AdoptResult> adopt_machines(store::Transaction& tx, const AdoptRequest& request,
                                   const AdoptFacts& facts, Callback<std::string()>& fresh_id);

}  // namespace drover::cluster
