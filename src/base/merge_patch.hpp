// JSON merge patch (RFC 7396): members of the patch replace those of the target, null removes them.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace drover {

/// The target with the patch applied. Lists are replaced as a whole.
json::value merge_patch(json::value target, const json::value& patch);

/// The same on text; errors as of parse_json().
Result<std::string> merge_patch_text(std::string_view target, std::string_view patch);

}  // namespace drover
