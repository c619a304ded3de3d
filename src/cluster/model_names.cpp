// The model as noderanges see it.
#include "cluster/model.hpp"

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
};

constexpr std::array kAttributes{
    Attribute{"name", "name", [](const NodeEntry& e) { return e.node.name; }},
    Attribute{"id", "id", [](const NodeEntry& e) { return e.node.id; }},
    Attribute{"role", "role", [](const NodeEntry& e) { return Text(enum_name(e.node.role)); }},
    Attribute{"phase", "phase.state",
              [](const NodeEntry& e) { return Text(enum_name(e.node.phase.state)); }},
    Attribute{"state.phase", "state.phase",
              [](const NodeEntry& e) { return Text(enum_name(e.node.phase.state)); }},
    Attribute{"power", "power.state",
              [](const NodeEntry& e) { return Text(enum_name(e.node.power.state)); }},
    Attribute{"state.power", "state.power",
              [](const NodeEntry& e) { return Text(enum_name(e.node.power.state)); }},
    Attribute{"service", "service.state",
              [](const NodeEntry& e) { return Text(enum_name(e.node.service.state)); }},
    Attribute{"state.service", "state.service",
              [](const NodeEntry& e) { return Text(enum_name(e.node.service.state)); }},
    Attribute{"confirmed", "phase.confirmed",
              [](const NodeEntry& e) { return Text(e.confirmed ? "true" : "false"); }},
    Attribute{"enabled", "enabled",
              [](const NodeEntry& e) { return Text(e.node.enabled ? "true" : "false"); }},
    Attribute{"locked", "locked",
              [](const NodeEntry& e) { return Text(e.node.locked ? "true" : "false"); }},
    Attribute{"flag", "flag", [](const NodeEntry& e) { return Text(enum_name(e.node.flag)); }},
    Attribute{"cpus", "summary.cpus",
              [](const NodeEntry& e) { return std::to_string(e.node.summary.cpus); }},
    Attribute{"memory_mib", "summary.memory_mib",
              [](const NodeEntry& e) { return std::to_string(e.node.summary.memory_mib); }},
    Attribute{"gpus", "summary.gpus",
              [](const NodeEntry& e) { return std::to_string(e.node.summary.gpus); }},
    Attribute{"os", "summary.os", [](const NodeEntry& e) { return e.node.summary.os; }},
    Attribute{"kernel", "summary.kernel", [](const NodeEntry& e) { return e.node.summary.kernel; }},
    Attribute{"version", "agent.version",
              [](const NodeEntry& e) { return agent_text(e, &Agent::version); }},
    Attribute{"address", "agent.address",
              [](const NodeEntry& e) { return agent_text(e, &Agent::address); }},
    Attribute{"primary", "agent.primary",
              [](const NodeEntry& e) { return agent_text(e, &Agent::primary); }},
    Attribute{"secondary", "agent.secondary",
              [](const NodeEntry& e) { return agent_text(e, &Agent::secondary); }},
};

const Attribute* find_attribute(std::string_view name) {
  const auto* found = std::ranges::find_if(kAttributes, [&](const Attribute& attribute) {
    return attribute.name == name || attribute.full_name == name;
  });
  return found == kAttributes.end() ? nullptr : found;
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

std::optional<std::string> ModelNames::node_of_alias(std::string_view) const {
  return std::nullopt;
}

std::optional<std::vector<std::string>> ModelNames::members(std::string_view group) const {
  const auto role = enum_from_name<NodeRole>(group);
  if (!role) return std::nullopt;
  std::vector<std::string> out;
  for (const auto& [name, entry] : model_.nodes()) {
    if (entry.node.role == *role) out.push_back(name);
  }
  return out;
}

bool ModelNames::has_attribute(std::string_view attribute) const {
  return find_attribute(attribute) != nullptr;
}

std::optional<std::string> ModelNames::attribute(std::string_view node,
                                                 std::string_view attribute) const {
  const Attribute* found = find_attribute(attribute);
  const NodeEntry* entry = model_.find(node);
  if (found == nullptr || entry == nullptr) return std::nullopt;
  return found->read(*entry);
}

}  // namespace drover::cluster
