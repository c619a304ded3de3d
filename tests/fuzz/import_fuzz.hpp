// What the fuzz targets of the importers share: any text is a document or an error, and a document
// is YAML that reads back as itself and names nodes by Drover's rules.
#pragma once

#include "base/json_values.hpp"
#include "base/yaml.hpp"
#include "base/yaml_read.hpp"
#include "cluster/import/import.hpp"
#include "cluster/names.hpp"
#include "fuzz.hpp"

namespace drover::fuzz {

inline void check_import(const Result<cluster::Imported>& imported) {
  if (!imported) {
    require(!imported.error().message.empty(), "an error says why");
    return;
  }
  for (const auto& [name, node] : imported->nodes) {
    require(cluster::check_node_name(name).has_value(), "a node's name follows the rules");
    for (const auto& alias : node.aliases) {
      require(cluster::check_node_name(alias).has_value(), "an alias follows the rules");
    }
  }
  const json::value document = cluster::to_document(*imported);
  const auto back = parse_yaml(to_yaml(document));
  require(back && to_text(*back) == to_text(document), "the document reads back as itself");
}

}  // namespace drover::fuzz
