// The lines of nodes' boot logs as traces: which boot each belongs to, and how long it took.
#pragma once

#include "base/json_values.hpp"

namespace drover::cli {

/// `lines` as the API gives them, oldest first, with the fields of each besides: `boot`, when its
/// boot began; `after_ms` since then; `step_ms` since the node's line before. A boot begins with a
/// request for an address or a script, after the node's own system has said something, or after a
/// silence in which every stage before that would have been given up. Unless `all`, the last boot
/// of each node alone. A line without a readable time is left out.
json::array trace_of(const json::array& lines, bool all);

}  // namespace drover::cli
