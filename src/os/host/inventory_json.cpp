// Inventory to JSON.
#include "base/json_values.hpp"
#include "os/host/inventory.hpp"

namespace drover::os {

std::string encode_inventory(const std::vector<Part>& parts) {
  json::array array;
  array.reserve(parts.size());
  for (const Part& part : parts) {
    json::object attributes;
    for (const auto& [name, value] : part.attributes) attributes.emplace(name, value);
    array.push_back(json::object{{"kind", part.kind},
                                 {"slot", part.slot},
                                 {"serial", part.serial},
                                 {"attributes", std::move(attributes)}});
  }
  const Summary summary = summarize(parts);
  return to_text(json::object{{"parts", std::move(array)},
                              {"summary",
                               {{"cpus", summary.cpus},
                                {"memory_mib", summary.memory_mib},
                                {"gpus", summary.gpus},
                                {"os", summary.os},
                                {"kernel", summary.kernel}}}});
}

}  // namespace drover::os
