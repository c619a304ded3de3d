// How a daemon comes to introduce itself: its identity, which start of it this is, which boot.
#pragma once

#include "daemons/seams.hpp"
#include "tree/hello.hpp"

#include <string>

namespace drover::daemons {

/// Counts the starts of a daemon in "<state>/starts", so that restarts show in `drover health`.
/// A file that cannot be read counts as none; the new count is durable when this returns.
Result<uint64_t> count_start(Disk& disk, const std::string& state);

/// The introduction of a daemon that starts now.
Result<tree::Introduction> introduce(Seams& seams, const std::string& state,
                                     const std::string& cluster, tree::Role role,
                                     const std::string& name);

}  // namespace drover::daemons
