#include "api/smd/component_store.hpp"

#include "api/smd/words.hpp"
#include "cluster/mutations.hpp"
#include "cluster/stored_node.hpp"

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::Component;
using cluster::ComponentLock;
using cluster::Node;
using cluster::SmdState;

void set_attribute(Node& node, const char* name, std::string_view value) {
  if (value.empty()) {
    node.spec.attributes.erase(name);
  } else {
    node.spec.attributes[name] = value;
  }
}

/// Everything but the state.
void apply_says(Node& node, const ComponentSays& says) {
  if (says.flag) cluster::report_smd_flag(node, *says.flag);
  if (says.enabled) node.enabled = *says.enabled;
  if (says.locked) node.locked = *says.locked;
  if (says.nid) node.spec.nid = *says.nid;
  if (says.role) {
    const bool standard =
        *says.role == (node.role == cluster::NodeRole::utility ? "Application" : "Compute");
    set_attribute(node, "smd_role", standard ? "" : *says.role);
  }
  if (says.sub_role) set_attribute(node, "subrole", *says.sub_role);
  if (says.arch) set_attribute(node, "arch", arch_attribute(*says.arch));
  if (says.hw_class) set_attribute(node, "class", *says.hw_class);
  if (says.net_type) set_attribute(node, "smd_nettype", *says.net_type);
  if (says.subtype) set_attribute(node, "smd_subtype", *says.subtype);
  if (says.software_status) set_attribute(node, "software_status", *says.software_status);
}

void apply_says(Component& component, const ComponentSays& says) {
  if (says.flag) component.flag = enum_name(*says.flag);
  if (says.enabled) component.enabled = *says.enabled;
  if (says.role) component.role = *says.role;
  if (says.sub_role) component.sub_role = *says.sub_role;
  if (says.arch) component.arch = *says.arch;
  if (says.hw_class) component.hw_class = *says.hw_class;
  if (says.net_type) component.net_type = *says.net_type;
  if (says.subtype) component.subtype = *says.subtype;
  if (says.software_status) component.software_status = *says.software_status;
}

/// Whether the state may be taken on. What is Ready is on: a controller that says so says nothing
/// new, and changes nothing.
Result<bool> may_become(std::string_view id, SmdState from, SmdState to, Transitions transitions) {
  if (transitions == Transitions::forced || from == to) return true;
  if (cluster::needs_force(to)) {
    return bad(
        fmt::format("{}: operation not allowed and not forced: State {}", id, enum_name(to)));
  }
  if (cluster::smd_allows(from, to)) return true;
  if (transitions == Transitions::ignored) return false;
  if (from == SmdState::ready && to == SmdState::on) return false;
  return bad(fmt::format("{}: operation not allowed: {} cannot follow {}", id, enum_name(to),
                         enum_name(from)));
}

}  // namespace

bool is_node_type(cluster::XnameType type) {
  return type == cluster::XnameType::node || type == cluster::XnameType::virtual_node;
}

std::vector<ComponentTarget> targets_of(ComponentRows& rows,
                                        const std::vector<NamedComponent>& components) {
  std::vector<ComponentTarget> out;
  out.reserve(components.size());
  for (const NamedComponent& each : components) {
    ComponentTarget target{each.id, each.says, {}, false, {}, false, nullptr};
    if (const cluster::NodeEntry* entry = rows.index().find(each.id.text)) {
      target.known = true;
      target.node = entry->node().name;
      target.heard = entry->confirmed;
    } else if (const auto row = rows.find(each.id.text)) {
      target.known = true;
      if (row->component != nullptr) {
        target.as_known = std::make_shared<const Component>(*row->component);
      } else {
        Component seen;
        seen.xname = row->id;
        seen.state = row->state;
        seen.flag = row->flag;
        seen.enabled = row->enabled;
        target.as_known = std::make_shared<const Component>(std::move(seen));
      }
    }
    out.push_back(std::move(target));
  }
  return out;
}

cluster::SmdReport ComponentStore::report(const ComponentTarget& target) const {
  return {from_unix_ms(tx_.time_ms()), tx_.actor(), target.heard};
}

Result<uint64_t> ComponentStore::fresh_nid(const cluster::Xname& id) {
  DROVER_TRY(const auto mapped, tx_.get(cluster::kNodeMapKind, id.text));
  uint64_t nid = cluster::nid_of_place(id).value_or(1);
  if (mapped) {
    DROVER_TRY(const auto map, decode_text<cluster::NodeMap>(mapped->body, Unknown::ignore));
    nid = map.nid;
  }
  for (;; ++nid) {
    if (given_.contains(nid)) continue;
    DROVER_TRY(const auto taken, tx_.get(cluster::kClaimKind, fmt::format("nid/{}", nid)));
    if (!taken) break;
  }
  return nid;
}

Status ComponentStore::adopt_interfaces(const std::string& xname, cluster::NodeSpec& spec) {
  if (!listed_) {
    listed_ = true;
    DROVER_TRY(const auto objects, tx_.list({.kind = std::string(cluster::kInterfaceKind)}));
    for (const store::Object& object : objects) {
      DROVER_TRY(auto known, decode_text<cluster::KnownInterface>(object.body, Unknown::ignore));
      if (!known.component.empty()) waiting_.emplace(known.component, std::move(known));
    }
  }
  const auto [from, to] = waiting_.equal_range(xname);
  for (auto it = from; it != to; ++it) {
    if (spec.interfaces.size() >= cluster::kMaxInterfaces) break;
    cluster::KnownInterface known = it->second;
    cluster::Interface interface;
    interface.name = fmt::format("eth{}", spec.interfaces.size());
    interface.mac = known.mac;
    for (const cluster::InterfaceAddress& address : known.addresses) {
      interface.addresses.push_back(address.address);
    }
    spec.interfaces.push_back(std::move(interface));
    known.component.clear();
    std::erase_if(known.addresses, [](const auto& address) { return address.network.empty(); });
    DROVER_CHECK_OK(tx_.put(cluster::kInterfaceKind, known.mac, encode(known)));
  }
  return {};
}

Status ComponentStore::make_node(const ComponentTarget& target, Complete complete) {
  Node said;
  said.name = target.id.text;
  said.id = target.fresh_id;
  DROVER_TRY(const auto mapped, tx_.get(cluster::kNodeMapKind, target.id.text));
  if (mapped) {
    DROVER_TRY(const auto map, decode_text<cluster::NodeMap>(mapped->body, Unknown::ignore));
    ComponentSays mapped_says;
    if (!map.role.empty()) mapped_says.role = map.role;
    if (!map.sub_role.empty()) mapped_says.sub_role = map.sub_role;
    apply_says(said, mapped_says);
  }
  apply_says(said, *target.says);
  if (target.says->state) cluster::report_smd_state(said, *target.says->state, report(target));
  if (!target.says->nid && target.id.type == cluster::XnameType::node) {
    DROVER_TRY(said.spec.nid, fresh_nid(target.id));
  }
  if (said.spec.nid != 0) given_.insert(said.spec.nid);
  DROVER_CHECK_OK(adopt_interfaces(target.id.text, said.spec));
  if (complete) complete(said.spec);
  DROVER_TRY(Node made,
             writer_.add_node(said.name, said.role, std::move(said.spec), target.fresh_id));
  made.power = said.power;
  made.phase = said.phase;
  made.flag = said.flag;
  made.enabled = said.enabled;
  made.locked = said.locked;
  DROVER_CHECK_OK(cluster::write_node(tx_, made));
  made_.insert(made.name);
  return put_lock(target.id.text, true, *target.says);
}

Status ComponentStore::change_node(const ComponentTarget& target, const std::string& name,
                                   Transitions transitions) {
  DROVER_TRY(const auto stored, cluster::read_stored_node(tx_, name));
  const Node& before = stored->node;
  Node node = before;
  bool takes_state = true;
  if (target.says->state) {
    DROVER_TRY(takes_state, may_become(target.id.text, cluster::smd_state_of(node),
                                       *target.says->state, transitions));
    if (takes_state) cluster::report_smd_state(node, *target.says->state, report(target));
  }
  if (takes_state || transitions == Transitions::refused) apply_says(node, *target.says);
  DROVER_CHECK_OK(put_lock(target.id.text, true, *target.says));
  if (node == before) return {};
  if (node.spec == before.spec) {
    DROVER_CHECK_OK(cluster::write_node(tx_, std::move(node)));
    return {};
  }
  cluster::NodeSpec spec = std::move(node.spec);
  node.spec = before.spec;
  if (!(node == before)) DROVER_CHECK_OK(cluster::write_node(tx_, std::move(node)));
  DROVER_CHECK_OK(writer_.put_spec(name, std::move(spec)));
  return {};
}

Status ComponentStore::change_component(const ComponentTarget& target, Transitions transitions) {
  Component component = target.as_known == nullptr ? Component() : *target.as_known;
  component.xname = target.id.text;
  DROVER_TRY(const auto stored, tx_.get(cluster::kComponentKind, target.id.text));
  if (stored) {
    DROVER_TRY(component, decode_text<Component>(stored->body, Unknown::ignore));
  }
  bool takes_state = true;
  if (target.says->state) {
    const auto now = enum_from_name<SmdState>(component.state).value_or(SmdState::unknown);
    DROVER_TRY(takes_state, may_become(target.id.text, now, *target.says->state, transitions));
    if (takes_state) component.state = enum_name(*target.says->state);
  }
  if (takes_state || transitions == Transitions::refused) apply_says(component, *target.says);
  DROVER_CHECK_OK(tx_.put(cluster::kComponentKind, component.xname, encode(component)));
  return put_lock(target.id.text, false, *target.says);
}

Status ComponentStore::put_lock(const std::string& xname, bool is_node, const ComponentSays& says) {
  if (!says.no_reservations && (is_node || !says.locked)) return {};
  ComponentLock lock;
  lock.xname = xname;
  DROVER_TRY(const auto stored, tx_.get(cluster::kComponentLockKind, xname));
  if (stored) {
    DROVER_TRY(lock, decode_text<ComponentLock>(stored->body, Unknown::ignore));
  }
  if (says.no_reservations) lock.no_reservations = *says.no_reservations;
  if (says.locked && !is_node) lock.locked = *says.locked;
  if (!lock.locked && !lock.no_reservations) {
    DROVER_CHECK_OK(tx_.erase(cluster::kComponentLockKind, xname));
    return {};
  }
  DROVER_CHECK_OK(tx_.put(cluster::kComponentLockKind, xname, encode(lock)));
  return {};
}

Status ComponentStore::put(const ComponentTarget& target, bool force, Complete complete) {
  if (is_node_type(target.id.type)) {
    const std::string& name = target.node.empty() ? target.id.text : target.node;
    const bool there = !target.node.empty() || made_.contains(name);
    if (!there) return make_node(target, std::move(complete));
    return force ? change_node(target, name, Transitions::forced) : Status();
  }
  DROVER_TRY(const auto stored, tx_.get(cluster::kComponentKind, target.id.text));
  if (stored && !force) return {};
  return change_component(target, Transitions::forced);
}

Status ComponentStore::patch(const ComponentTarget& target, Transitions transitions) {
  if (!target.node.empty()) return change_node(target, target.node, transitions);
  return change_component(target, transitions);
}

Result<bool> ComponentStore::remove(const ComponentTarget& target) {
  DROVER_CHECK_OK(tx_.erase(cluster::kComponentLockKind, target.id.text));
  if (!target.node.empty()) {
    DROVER_TRY(const auto there, tx_.get(cluster::kNodeKind, target.node));
    if (!there) return false;
    DROVER_CHECK_OK(writer_.remove_node(target.node));
    return true;
  }
  DROVER_TRY(const bool erased, tx_.erase(cluster::kComponentKind, target.id.text));
  if (erased) return true;
  DROVER_TRY(const auto bmc, tx_.get(cluster::kBmcKind, target.id.text));
  if (!bmc) return false;
  return fail(Code::conflict, fmt::format("{} is the controller of a Redfish endpoint; delete that",
                                          target.id.text));
}

}  // namespace drover::api::smd
