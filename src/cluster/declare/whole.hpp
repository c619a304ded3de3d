// Rules between objects, checked once on the whole of what a plan would leave behind.
#pragma once

#include "cluster/declare/plan.hpp"
#include "store/store.hpp"

namespace drover::cluster {

/// Adds to the plan's problems: aliases, NIDs, MACs and addresses (those of formulas too) that two
/// nodes would have, profiles that nodes, groups and profiles name and nobody defines, circles of
/// profiles, members of groups that are no nodes. Only what concerns an object that the plan
/// touches, so that an old mistake elsewhere stops nobody. The error is the store's own.
Status check_whole(store::Transaction& tx, const InForce& in_force, const Document& document,
                   Plan& plan);

}  // namespace drover::cluster
