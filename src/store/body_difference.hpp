// A body as its difference to the one that replaced it: how the change log keeps what was before.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace drover::store {

/// First byte of a difference. No JSON text begins with it (RFC 8259 section 2).
inline constexpr char kDifferenceMark = '\x01';

/// `before` in as few bytes as a common beginning and end with `after` allow: the mark, the lengths
/// of both, and what stands between them, e.g. "\x01" "17,402,up". Most changes touch one member of
/// a body, so half of the log's bytes need not be written. Itself where that is no shorter. Valid
/// UTF-8 stays so.
std::string difference_to(std::string_view before, std::string_view after);

/// The inverse: what difference_to(before, after) was made of. corrupt when it does not fit
/// `after`.
Result<std::string> undo_difference(std::string_view difference, std::string_view after);

}  // namespace drover::store
