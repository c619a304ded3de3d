// Sections in their order, names in natural order; a fold stands where its first node does.
#include "cluster/declare/export.hpp"

#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"

namespace drover::cluster {
namespace {

json::object folded_nodes(const std::vector<std::pair<std::string, json::object>>& nodes) {
  std::map<std::string, size_t, std::less<>> index;
  std::vector<std::pair<json::object, std::vector<std::string>>> entries;
  for (const auto& [name, fields] : nodes) {
    const auto [it, fresh] = index.try_emplace(json::serialize(fields), entries.size());
    if (fresh) entries.push_back({fields, {}});
    entries[it->second].second.push_back(name);
  }
  json::object out;
  for (auto& [fields, names] : entries) out.emplace(fold_names(names), std::move(fields));
  return out;
}

}  // namespace

json::value export_document(const InForce& in_force) {
  json::object out{{"kind", kDocumentKind}, {"version", kDocumentVersion}};
  std::map<Section, json::object> sections;
  std::vector<std::pair<std::string, json::object>> nodes;
  for (const auto& [object, set] : in_force) {
    json::object fields = to_object(object.section, set, true);
    if (object.section == Section::nodes) {
      nodes.emplace_back(object.name, std::move(fields));
    } else if (object.section == Section::settings) {
      const auto* value = fields.if_contains("value");
      sections[object.section].emplace(object.name, value == nullptr ? json::value("") : *value);
    } else {
      sections[object.section].emplace(object.name, std::move(fields));
    }
  }
  if (!nodes.empty()) sections[Section::nodes] = folded_nodes(nodes);
  for (auto& [section, members] : sections) out.emplace(enum_name(section), std::move(members));
  return out;
}

}  // namespace drover::cluster
