// How a daemon comes to introduce itself: its identity, which start of it this is, which boot.
#pragma once

#include "daemons/seams.hpp"
#include "tree/hello.hpp"

#include <string>

namespace drover::daemons {

/// Which start of a daemon this is.
struct Start {
  uint64_t count = 0;        ///< 1 for the first; shows as restarts in `drover health`
  uint64_t incarnation = 0;  ///< Unix ms of the start, but always above the last one's: a clock
                             ///< that was set back must not make the new agent look like the old
};

/// Counts a start in "<state>/starts". A file that cannot be read counts as none; the new count is
/// durable when this returns.
Result<Start> count_start(Disk& disk, const std::string& state, WallTime now);

/// The introduction of a daemon that starts now.
Result<tree::Introduction> introduce(Seams& seams, const std::string& state,
                                     const std::string& cluster, tree::Role role,
                                     const std::string& name);

}  // namespace drover::daemons
