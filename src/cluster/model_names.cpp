// The model as noderanges see it.
#include "cluster/attribute_catalogue.hpp"
#include "cluster/model.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace drover::cluster {
namespace {

using Text = std::string;

Text agent_text(const NodeEntry& entry, std::string Agent::* field) {
  return entry.agent ? (*entry.agent).*field : Text();
}

struct Attribute {
  std::string_view name;
  std::string_view full_name;  ///< as a path in the API's Node
  Text (*read)(const NodeEntry&);
  bool list = false;
};

Text joined(const std::vector<std::string>& values) {
  Text out;
  for (const std::string& value : values) {
    if (!out.empty()) out.push_back(',');
    out += value;
  }
  return out;
}

Text networks(const NodeEntry& entry) {
  std::vector<std::string> out;
  for (const Interface& interface : entry.node().spec.interfaces) {
    if (!interface.network.empty()) out.push_back(interface.network);
  }
  return joined(out);
}

constexpr bool kList = true;

constexpr std::array kAttributes{
    Attribute{"name", "name", [](const NodeEntry& e) { return e.node().name; }},
    Attribute{"id", "id", [](const NodeEntry& e) { return e.node().id; }},
    Attribute{"role", "role", [](const NodeEntry& e) { return Text(enum_name(e.node().role)); }},
    Attribute{"phase", "phase.state",
              [](const NodeEntry& e) { return Text(enum_name(e.node().phase.state)); }},
    Attribute{"state.phase", "state.phase",
              [](const NodeEntry& e) { return Text(enum_name(e.node().phase.state)); }},
    Attribute{"power", "power.state",
              [](const NodeEntry& e) { return Text(enum_name(e.node().power.state)); }},
    Attribute{"state.power", "state.power",
              [](const NodeEntry& e) { return Text(enum_name(e.node().power.state)); }},
    Attribute{"service", "service.state",
              [](const NodeEntry& e) { return Text(enum_name(e.node().service.state)); }},
    Attribute{"state.service", "state.service",
              [](const NodeEntry& e) { return Text(enum_name(e.node().service.state)); }},
    Attribute{"confirmed", "phase.confirmed",
              [](const NodeEntry& e) { return Text(e.confirmed ? "true" : "false"); }},
    Attribute{"enabled", "enabled",
              [](const NodeEntry& e) { return Text(e.node().enabled ? "true" : "false"); }},
    Attribute{"locked", "locked",
              [](const NodeEntry& e) { return Text(e.node().locked ? "true" : "false"); }},
    Attribute{"flag", "flag", [](const NodeEntry& e) { return Text(enum_name(e.node().flag)); }},
    Attribute{"cpus", "summary.cpus",
              [](const NodeEntry& e) { return std::to_string(e.node().summary.cpus); }},
    Attribute{"memory_mib", "summary.memory_mib",
              [](const NodeEntry& e) { return std::to_string(e.node().summary.memory_mib); }},
    Attribute{"gpus", "summary.gpus",
              [](const NodeEntry& e) { return std::to_string(e.node().summary.gpus); }},
    Attribute{"os", "summary.os", [](const NodeEntry& e) { return e.node().summary.os; }},
    Attribute{"kernel", "summary.kernel",
              [](const NodeEntry& e) { return e.node().summary.kernel; }},
    Attribute{"version", "agent.version",
              [](const NodeEntry& e) { return agent_text(e, &Agent::version); }},
    Attribute{"address", "agent.address",
              [](const NodeEntry& e) { return agent_text(e, &Agent::address); }},
    Attribute{"primary", "agent.primary",
              [](const NodeEntry& e) { return agent_text(e, &Agent::primary); }},
    Attribute{"secondary", "agent.secondary",
              [](const NodeEntry& e) { return agent_text(e, &Agent::secondary); }},
    Attribute{"nid", "spec.nid",
              [](const NodeEntry& e) {
                return e.node().spec.nid == 0 ? Text() : std::to_string(e.node().spec.nid);
              }},
    Attribute{"alias", "spec.aliases",
              [](const NodeEntry& e) { return joined(e.node().spec.aliases); }, kList},
    Attribute{"profile", "spec.profiles",
              [](const NodeEntry& e) { return joined(e.node().spec.profiles); }, kList},
    Attribute{"network", "spec.network", networks, kList},
    Attribute{"bmc", "spec.bmc",
              [](const NodeEntry& e) {
                return e.node().spec.bmc ? Text(enum_name(e.node().spec.bmc->protocol)) : Text();
              }},
    Attribute{"owner", "spec.owner", [](const NodeEntry& e) { return e.node().spec.owner; }},
    Attribute{"owner_group", "spec.group", [](const NodeEntry& e) { return e.node().spec.group; }},
    Attribute{"mode", "spec.mode", [](const NodeEntry& e) { return e.node().spec.mode; }},
    Attribute{"description", "spec.description",
              [](const NodeEntry& e) { return e.node().spec.description; }},
};

constexpr std::string_view kAttributePrefix = "attr.";

/// "attr.rack" and "rack" to "rack"; empty for what cannot be an attribute.
std::string_view attribute_name(std::string_view name) {
  if (name.starts_with(kAttributePrefix)) name.remove_prefix(kAttributePrefix.size());
  return check_attribute_name("", name) ? name : std::string_view();
}

const Attribute* find_attribute(std::string_view name) {
  const auto* found = std::ranges::find_if(kAttributes, [&](const Attribute& attribute) {
    return attribute.name == name || attribute.full_name == name;
  });
  return found == kAttributes.end() ? nullptr : found;
}

/// Lists that need more of the model than the node alone.
bool is_computed_list(std::string_view name) {
  return name == "group" || name == "ip" || name == "mac" || name == "spec.mac";
}

}  // namespace

std::vector<std::string> ModelNames::all() const {
  std::vector<std::string> out;
  out.reserve(model_.nodes().size());
  for (const auto& [name, entry] : model_.nodes()) out.push_back(name);
  return out;
}

bool ModelNames::is_node(std::string_view name) const {
  return model_.find(name) != nullptr;
}

std::optional<std::string> ModelNames::node_of_alias(std::string_view alias) const {
  const NodeEntry* entry = model_.find_alias(alias);
  if (entry == nullptr) return std::nullopt;
  return entry->node().name;
}

std::optional<std::vector<std::string>> ModelNames::members(std::string_view group) const {
  if (group == "all") return all();
  if (const auto role = enum_from_name<NodeRole>(group)) {
    std::vector<std::string> out;
    for (const auto& [name, entry] : model_.nodes()) {
      if (entry.node().role == *role) out.push_back(name);
    }
    return out;
  }
  const auto* members = model_.members(group);
  if (members == nullptr) return std::nullopt;
  return *members;
}

bool is_node_attribute(std::string_view name) {
  return is_computed_list(name) || find_attribute(name) != nullptr || !attribute_name(name).empty();
}

bool ModelNames::has_attribute(std::string_view attribute) const {
  return is_node_attribute(attribute);
}

bool ModelNames::is_list(std::string_view attribute) const {
  if (is_computed_list(attribute)) return true;
  const Attribute* found = find_attribute(attribute);
  return found != nullptr && found->list;
}

namespace {

/// Calls `take` with each interface and the BMC, formulas evaluated; what cannot be evaluated is
/// left out.
template <class TakeInterface, class TakeBmc>
void for_each_interface(const NodeEntry& entry, const Model& model, TakeInterface take,
                        TakeBmc take_bmc) {
  const ModelDefinitions fixed(model, ModelDefinitions::Groups::fixed);
  NodeAttributes attributes(entry.node(), fixed);
  const auto& interfaces = entry.node().spec.interfaces;
  for (size_t i = 0; i < interfaces.size(); ++i) {
    if (const auto interface = evaluate_interface(attributes, interfaces[i], i)) take(*interface);
  }
  if (!entry.node().spec.bmc) return;
  if (const auto bmc = evaluate_bmc(attributes, *entry.node().spec.bmc)) take_bmc(*bmc);
}

/// IP addresses without their prefixes.
Text addresses(const NodeEntry& entry, const Model& model) {
  std::vector<std::string> out;
  for_each_interface(
      entry, model,
      [&](const Interface& interface) {
        for (const std::string& address : interface.addresses) {
          out.emplace_back(without_prefix(address));
        }
      },
      [&](const Bmc& bmc) { out.push_back(bmc.address); });
  return joined(out);
}

Text macs(const NodeEntry& entry, const Model& model) {
  std::vector<std::string> out;
  const auto take = [&](const auto& with_mac) {
    if (!with_mac.mac.empty()) out.push_back(with_mac.mac);
  };
  for_each_interface(entry, model, take, take);
  return joined(out);
}

}  // namespace

std::optional<std::string> ModelNames::attribute(std::string_view node,
                                                 std::string_view attribute) const {
  const NodeEntry* entry = model_.find(node);
  if (entry == nullptr) return std::nullopt;
  if (const Attribute* found = find_attribute(attribute)) return found->read(*entry);
  if (attribute == "ip") return addresses(*entry, model_);
  if (attribute == "mac" || attribute == "spec.mac") return macs(*entry, model_);
  if (attribute == "group") {
    std::vector<std::string> out;
    for (const Group* group : definitions_.groups_of(entry->node())) out.push_back(group->name);
    return joined(out);
  }
  const std::string_view name = attribute_name(attribute);
  if (name.empty()) return std::nullopt;
  NodeAttributes attributes(entry->node(), definitions_);
  auto value = attributes.value(std::string(name));
  // A formula that cannot be evaluated gives no value; `drover node attributes` says why.
  return value ? *std::move(value) : std::nullopt;
}

}  // namespace drover::cluster
