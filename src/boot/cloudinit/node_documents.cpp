// Later parts win in cloud-init, so the weakest owner's come first.
#include "boot/cloudinit/node_documents.hpp"

#include "base/text.hpp"
#include "boot/cloudinit/documents.hpp"
#include "boot/site/membership.hpp"
#include "cluster/content/effective.hpp"
#include "cluster/group.hpp"

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

constexpr std::string_view kGroupOwner = "group/";

/// The group whose layer that is: those that are always there are among the node's groups when
/// something is said for them, as its weakest. nullptr: the layer is no group's.
GroupFacts* group_of(const cluster::CloudInitLayer& layer, Facts& facts) {
  if (!layer.owner.starts_with(kGroupOwner)) return nullptr;
  const std::string name = layer.owner.substr(kGroupOwner.size());
  const auto known = std::ranges::find(facts.groups, name, &GroupFacts::name);
  if (known != facts.groups.end()) return &*known;
  const auto weaker = std::ranges::find_if(
      facts.groups, [](const GroupFacts& group) { return cluster::is_built_in_group(group.name); });
  return &*facts.groups.insert(weaker, GroupFacts{name, {}, {}});
}

/// Public keys add up; a key that several owners name is there once.
void add_public_keys(std::string_view value, std::vector<std::string>& to) {
  for (std::string& key : lines_of(value)) {
    if (std::ranges::find(to, key) == to.end()) to.push_back(std::move(key));
  }
}

/// Keys of the meta-data, the strongest owner's counting.
Status add_keys(const std::vector<cluster::CloudInitLayer>& layers,
                cluster::NodeAttributes& attributes, Facts& facts, std::vector<ToldPart>& parts) {
  std::map<std::string, ToldPart> told;
  for (const cluster::CloudInitLayer& layer : layers) {
    GroupFacts* const group = group_of(layer, facts);
    for (const auto& [key, raw] : layer.definition->meta_data) {
      DROVER_TRY(std::string value,
                 attributes.expand(fmt::format("{}: meta_data.{}", layer.owner, key), raw));
      told[key] = {"meta-data", key, layer.owner, layer.origin};
      if (group != nullptr) group->keys[key] = value;
      if (key == kPublicKeys) {
        add_public_keys(value, facts.public_keys);
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

Result<OpenChamiDocuments> openchami_documents_of(const cluster::Model& model,
                                                  const NetworkIndex& networks,
                                                  const cluster::Node& node,
                                                  std::string_view cluster, std::string_view base) {
  const NodeDefinitions definitions(model);
  cluster::NodeAttributes attributes(node, definitions);
  const auto layers = cluster::cloud_init_of(model, attributes);
  Facts facts = facts_of(model, networks, node, cluster);
  std::vector<ToldPart> parts;
  DROVER_CHECK_OK(add_keys(layers, attributes, facts, parts));
  for (const char* key : {"base-url", "cloud-init-base-url"}) {
    if (const auto told = facts.more.find(key); told != facts.more.end()) base = told->second;
  }
  while (base.ends_with('/')) base.remove_suffix(1);
  std::vector<std::string> files;
  for (const GroupFacts& group : facts.groups | std::views::reverse) {
    files.push_back(fmt::format("{}/{}.yaml", base, group.name));
  }
  std::vector<Part> user;
  std::vector<Part> vendor;
  for (const cluster::CloudInitLayer& layer : layers) {
    const auto& said = *layer.definition;
    if (!said.vendor_data.empty()) vendor.push_back({part_name(layer), said.vendor_data});
    const bool of_group = layer.owner.starts_with(kGroupOwner);
    if (!of_group && !said.user_data.empty()) user.push_back({part_name(layer), said.user_data});
  }
  if (!files.empty()) vendor.push_back({"groups", include_list(files)});
  OpenChamiDocuments out;
  out.meta_data = meta_data(facts);
  DROVER_TRY(out.user_data, compose(user));
  DROVER_TRY(out.vendor_data, compose(vendor));
  return out;
}

Result<std::string> group_file(const cluster::Model& model, const cluster::Node& node,
                               std::string_view group) {
  if (!is_member(model, node, group)) {
    return fail(Code::not_found,
                fmt::format("{} is not in a group '{}'", node.name, printable(group)));
  }
  const auto it = model.cloud_inits().find(fmt::format("{}{}", kGroupOwner, group));
  const bool says = it != model.cloud_inits().end() && !it->second.value.user_data.empty();
  return says ? it->second.value.user_data : include_list({});
}

}  // namespace drover::boot::cloudinit
