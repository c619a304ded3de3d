// Later parts win in cloud-init, so the weakest owner's come first.
#include "boot/cloudinit/node_documents.hpp"

#include "boot/cloudinit/documents.hpp"
#include "boot/site/membership.hpp"
#include "cluster/content/effective.hpp"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

namespace drover::boot::cloudinit {
namespace {

constexpr std::string_view kPublicKeys = "public-keys";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// "group-rack1": what a part is called to people who look at it on the node.
std::string part_name(const cluster::CloudInitLayer& layer) {
  std::string out = layer.owner;
  std::ranges::replace(out, '/', '-');
  return out;
}

/// Keys of the meta-data, the strongest owner's counting.
Status add_keys(const std::vector<cluster::CloudInitLayer>& layers,
                cluster::NodeAttributes& attributes, Facts& facts, std::vector<ToldPart>& parts) {
  std::map<std::string, ToldPart> told;
  for (const cluster::CloudInitLayer& layer : layers) {
    for (const auto& [key, raw] : layer.definition->meta_data) {
      DROVER_TRY(std::string value,
                 attributes.expand(fmt::format("{}: meta_data.{}", layer.owner, key), raw));
      told[key] = {"meta-data", key, layer.owner, layer.origin};
      if (key == kPublicKeys) {
        facts.public_keys = lines_of(value);
      } else {
        facts.more[key] = std::move(value);
      }
    }
  }
  for (auto& [key, part] : told) parts.push_back(std::move(part));
  return {};
}

}  // namespace

void ToldPart::describe(Visitor& v) {
  v.field("what", what, "meta-data, user-data, vendor-data or secret.");
  v.field("name", name, "Name of the key or the secret; empty: all that its owner says.");
  v.field("owner", owner, "Whose it is: group/rack1.");
  v.field("origin", origin, "The same in words.");
}

std::vector<NodeSecret> secrets_of(const cluster::Model& model,
                                   const cluster::NodeAttributes& attributes) {
  std::map<std::string, NodeSecret> out;
  for (const cluster::CloudInitLayer& layer : cluster::cloud_init_of(model, attributes)) {
    for (const std::string& name : layer.definition->secrets) {
      out[name] = {name, layer.owner, layer.origin};
    }
  }
  std::vector<NodeSecret> list;
  for (auto& [name, secret] : out) list.push_back(std::move(secret));
  return list;
}

bool is_defined(const cluster::Model& model, const cluster::Node& node) {
  if (model.cloud_inits().empty()) return false;
  const NodeDefinitions definitions(model);
  return !cluster::cloud_init_of(model, cluster::NodeAttributes(node, definitions)).empty();
}

Result<NodeDocuments> documents_of(const cluster::Model& model, const NetworkIndex& networks,
                                   const cluster::Node& node, std::string_view cluster) {
  const NodeDefinitions definitions(model);
  cluster::NodeAttributes attributes(node, definitions);
  const auto layers = cluster::cloud_init_of(model, attributes);
  NodeDocuments out;
  Facts facts = facts_of(model, networks, node, cluster);
  DROVER_CHECK_OK(add_keys(layers, attributes, facts, out.parts));
  std::vector<Part> user;
  std::vector<Part> vendor;
  for (const cluster::CloudInitLayer& layer : layers) {
    const auto add = [&](std::string_view what, const std::string& content, std::vector<Part>& to) {
      if (content.empty()) return;
      to.push_back({part_name(layer), content});
      out.parts.push_back({std::string(what), "", layer.owner, layer.origin});
    };
    add("vendor-data", layer.definition->vendor_data, vendor);
    add("user-data", layer.definition->user_data, user);
  }
  out.meta_data = meta_data(facts);
  out.network_config = network_config(facts);
  DROVER_TRY(out.user_data, compose(user));
  DROVER_TRY(out.vendor_data, compose(vendor));
  for (const NodeSecret& secret : secrets_of(model, attributes)) {
    out.parts.push_back({"secret", secret.name, secret.owner, secret.origin});
  }
  return out;
}

}  // namespace drover::boot::cloudinit
