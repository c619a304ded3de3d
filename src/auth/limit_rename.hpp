// The noderanges that limit people and programs, when a group that they name gets another name.
#pragma once

#include "base/result.hpp"
#include "cluster/range_rename.hpp"
#include "store/store.hpp"

namespace drover::auth {

/// Rewrites the limits of grants, credentials and issuers, so that who is limited to a group stays
/// so. conflict, naming whose limit it is, where one cannot be rewritten for certain.
Status rename_group_in_limits(store::Transaction& tx, const cluster::GroupRename& rename);

}  // namespace drover::auth
