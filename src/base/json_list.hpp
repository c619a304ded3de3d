// The items of a list, one JSON text after the other.
#pragma once

#include "base/callback.hpp"
#include "base/json_items.hpp"
#include "base/result.hpp"

#include <string_view>

namespace drover {

/// Cuts {"items":[..],"next_page":".."} at its commas and calls `each` with the text of every item;
/// its error ends the walk. The items are not read: what stands between two commas may be no JSON.
/// invalid_argument when brackets and quotes do not match, corrupt when it is not a list.
Result<ItemsText::Page> each_item(std::string_view document,
                                  Callback<Status(std::string_view item)> each);

}  // namespace drover
