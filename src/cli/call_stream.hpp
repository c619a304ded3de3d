// A call whose outcomes come as they are known: asks, shows how far it is, gathers all of them.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"

namespace drover::cli {

/// Asks POST /calls and runs the loop until all nodes have ended or `deadline` has passed. On a
/// terminal a line on standard error says meanwhile how many have ended. The answer has the form of
/// one that came at once: {"id", "groups", "totals"}, equal groups merged, the biggest first. A
/// server that knows no streams is understood too.
Result<json::value> stream_call(Context& context, Client& client, const json::object& request,
                                Duration deadline);

}  // namespace drover::cli
