#include "base/merge_patch.hpp"

#include "base/json_values.hpp"

#include <utility>

namespace drover {

// The parser bounds how deep a document is, and with it this recursion.
json::value merge_patch(json::value target, const json::value& patch) {
  if (!patch.is_object()) return patch;
  json::object out;
  if (target.is_object()) out = std::move(target.get_object());
  for (const auto& [key, value] : patch.get_object()) {
    if (value.is_null()) {
      out.erase(key);
    } else {
      json::value& member = out[key];
      member = merge_patch(std::move(member), value);
    }
  }
  return out;
}

Result<std::string> merge_patch_text(std::string_view target, std::string_view patch) {
  DROVER_TRY(json::value base, parse_json(target));
  DROVER_TRY(const json::value change, parse_json(patch));
  return to_text(merge_patch(std::move(base), change));
}

}  // namespace drover
