#include "api/examples.hpp"

#include "api/openapi_text.hpp"
#include "base/json_values.hpp"

#include <map>

namespace drover::api {

std::string_view example_of(std::string_view type_name) {
  static const std::map<std::string, std::string, std::less<>> examples = [] {
    std::map<std::string, std::string, std::less<>> out;
    const auto all = parse_json(examples_text());
    if (!all || !all->is_object()) return out;
    for (const auto& entry : all->get_object()) out.emplace(entry.key(), to_text(entry.value()));
    return out;
  }();
  const auto it = examples.find(type_name);
  return it == examples.end() ? std::string_view() : it->second;
}

}  // namespace drover::api
