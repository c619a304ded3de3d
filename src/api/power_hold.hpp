// Whose a node's power is while it changes: locks and reservations (SMD's, api/smd/lock_book.hpp)
// stop a change, and a change reserves its node, so that no other begins beside it.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <string>

namespace drover::api {

/// One change of one node.
struct PowerHold {
  std::string node;
  std::string xname;      ///< that it goes by
  std::string operation;  ///< id
  std::string random;     ///< 64 hex digits for the reservation's keys, which nobody is told
  std::string deputy;     ///< SHA-256 of the deputy key that was shown, in hex; empty: none was
  bool force = false;
  Duration longest{};  ///< that the change can take
};

/// Reserves the node for the operation. A reservation that the deputy key is of, or `force`, lets
/// it pass as it is; one that an earlier start of the same operation made is taken over. conflict
/// for a node that is locked, reserved, or not to be reserved by anybody.
Status hold_power(store::Transaction& tx, const PowerHold& hold);

/// Ends the reservation that hold_power() made; nothing else.
Status release_power(store::Transaction& tx, const std::string& xname,
                     const std::string& operation);

}  // namespace drover::api
