#include "api/smd/component_rows.hpp"

#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "cluster/attributes.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::Component;
using cluster::ManagedBmc;
using cluster::NodeEntry;
using cluster::XnameType;

enum Shown : uint8_t { kRole, kSubRole, kArch, kClass, kNetType, kSubtype, kSoftware, kShownCount };
const std::array<std::string, kShownCount> kShown{
    "smd_role", "subrole", "arch", "class", "smd_nettype", "smd_subtype", "software_status"};
using Values = std::array<std::string_view, kShownCount>;

bool sets_shown(const std::map<std::string, std::string>& attributes) {
  return std::ranges::any_of(kShown,
                             [&](const std::string& name) { return attributes.contains(name); });
}

Values own_values(const std::map<std::string, std::string>& attributes) {
  Values out{};
  if (attributes.empty()) return out;
  for (size_t i = 0; i < kShown.size(); ++i) {
    const auto found = attributes.find(kShown.at(i));
    if (found != attributes.end()) out.at(i) = found->second;
  }
  return out;
}

/// As they are written: formulas are not for words that SMD knows.
Values inherited_values(const cluster::Node& node, const cluster::Model& model) {
  const cluster::ModelDefinitions definitions(model);
  const cluster::NodeAttributes attributes(node, definitions);
  Values out{};
  for (size_t i = 0; i < kShown.size(); ++i) {
    const std::string* raw = attributes.raw(kShown.at(i));
    if (raw != nullptr && raw->find("${") == std::string::npos) out.at(i) = *raw;
  }
  return out;
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out += ",\"";
  out += key;
  out += "\":";
  append_quoted(out, value);
}

}  // namespace

ComponentRows::ComponentRows(const cluster::Model& model)
    : model_(model), book_(model.hardware()), index_(model) {
  for (const auto& [name, group] : model.groups()) {
    inherited_ = inherited_ || sets_shown(group.value.attributes);
  }
  for (const auto& [name, profile] : model.profiles()) {
    inherited_ = inherited_ || sets_shown(profile.value.attributes);
  }
}

void ComponentRows::add_lock(ComponentRow& row) const {
  if (book_.locks().empty()) return;
  const auto found = book_.locks().find(row.id);
  if (found == book_.locks().end()) return;
  row.no_reservations = found->second.no_reservations;
  if (row.node == nullptr) row.locked = found->second.locked;
}

ComponentRow ComponentRows::of_node(const NodeEntry& entry) const {
  const cluster::Node& node = entry.node();
  ComponentRow row;
  row.id = cluster::xname_of(node);
  row.node = &entry;
  const size_t behind_node = row.id.find('v', row.id.rfind('n'));
  if (behind_node != std::string::npos) row.type = XnameType::virtual_node;
  row.state = enum_name(cluster::smd_state_of(node));
  row.flag = enum_name(cluster::smd_flag_of(node));
  row.enabled = node.enabled;
  row.nid = node.spec.nid;
  row.locked = node.locked;
  const Values values =
      inherited_ ? inherited_values(node, model_) : own_values(node.spec.attributes);
  row.role = values[kRole];
  if (row.role.empty()) {
    row.role = node.role == cluster::NodeRole::utility ? "Application" : "Compute";
  }
  row.sub_role = values[kSubRole];
  if (!values[kArch].empty()) row.arch = arch_word(values[kArch]);
  row.hw_class = values[kClass];
  row.net_type = values[kNetType];
  row.subtype = values[kSubtype];
  row.software_status = values[kSoftware];
  add_lock(row);
  return row;
}

ComponentRow ComponentRows::of_component(const Component& component) const {
  ComponentRow row;
  row.id = component.xname;
  row.component = &component;
  if (const auto parsed = cluster::parse_xname(component.xname)) row.type = parsed->type;
  row.state = component.state;
  row.flag = component.flag;
  row.enabled = component.enabled;
  row.software_status = component.software_status;
  row.role = component.role;
  row.sub_role = component.sub_role;
  row.subtype = component.subtype;
  row.net_type = component.net_type;
  row.arch = component.arch;
  row.hw_class = component.hw_class;
  add_lock(row);
  return row;
}

ComponentRow ComponentRows::of_bmc(const ManagedBmc& bmc) const {
  ComponentRow row;
  row.id = bmc.name;
  row.bmc = &bmc;
  if (const auto parsed = cluster::parse_xname(bmc.name)) row.type = parsed->type;
  const bool answers = bmc.inventory.has_value();
  row.state = answers ? "Ready" : "On";
  row.flag = bmc.look.status.empty() || bmc.look.status == "DiscoverOK" ? "OK" : "Warning";
  row.enabled = bmc.enabled;
  add_lock(row);
  return row;
}

std::vector<ComponentRow> ComponentRows::all() const {
  std::vector<ComponentRow> out;
  out.reserve(model_.nodes().size() + book_.bmcs().size() + book_.components().size());
  for (const auto& [name, entry] : model_.nodes()) out.push_back(of_node(entry));
  for (const auto& [name, bmc] : book_.bmcs()) {
    if (book_.components().contains(name) || !cluster::parse_xname(name)) continue;
    out.push_back(of_bmc(bmc));
  }
  for (const auto& [name, component] : book_.components()) out.push_back(of_component(component));
  return out;
}

std::optional<ComponentRow> ComponentRows::find(std::string_view xname) {
  if (const NodeEntry* entry = index_.find(xname)) return of_node(*entry);
  if (const auto found = book_.components().find(xname); found != book_.components().end()) {
    return of_component(found->second);
  }
  const auto bmc = book_.bmcs().find(xname);
  if (bmc == book_.bmcs().end()) return std::nullopt;
  return of_bmc(bmc->second);
}

std::optional<ComponentRow> ComponentRows::find_nid(uint64_t nid) {
  const NodeEntry* entry = index_.find_nid(nid);
  if (entry == nullptr) return std::nullopt;
  return of_node(*entry);
}

void append_json(std::string& out, const ComponentRow& row, RowView view) {
  const bool whole = view == RowView::whole;
  out += R"({"ID":)";
  append_quoted(out, row.id);
  append_text(out, "Type", enum_name(row.type));
  if (whole || view == RowView::state_only) append_text(out, "State", row.state);
  if (whole || view == RowView::state_only || view == RowView::flag_only) {
    append_text(out, "Flag", row.flag);
  }
  if (whole) {
    out += row.enabled ? R"(,"Enabled":true)" : R"(,"Enabled":false)";
    append_text(out, "SoftwareStatus", row.software_status);
  }
  if (whole || view == RowView::role_only) {
    append_text(out, "Role", row.role);
    append_text(out, "SubRole", row.sub_role);
  }
  if (row.nid != 0 && (whole || view == RowView::nid_only)) {
    fmt::format_to(std::back_inserter(out), R"(,"NID":{})", row.nid);
  }
  if (whole) {
    append_text(out, "Subtype", row.subtype);
    append_text(out, "NetType", row.net_type);
    append_text(out, "Arch", row.arch);
    append_text(out, "Class", row.hw_class);
    if (row.no_reservations) out += R"(,"ReservationDisabled":true)";
    if (row.locked) out += R"(,"Locked":true)";
  }
  out += '}';
}

}  // namespace drover::api::smd
