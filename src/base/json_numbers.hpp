// What readers of JSON check of its numbers.
#pragma once

#include "base/json.hpp"

namespace drover {

/// Whether JSON can write every number of it: the parser turns one beyond double's range into
/// infinity.
bool all_finite(const json::value& value);

}  // namespace drover
