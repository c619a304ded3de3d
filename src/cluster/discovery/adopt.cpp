#include "cluster/discovery/adopt.hpp"

#include "cluster/bmc/bmc.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/discovery/scan_request.hpp"
#include "cluster/mutations.hpp"
#include "cluster/stored_node.hpp"
#include "cluster/unknown_machine.hpp"
#include "cluster/xname.hpp"
#include "cluster/xname_map.hpp"
#include "store/reason.hpp"

#include <set>

namespace drover::cluster {
namespace {

/// Objects of one kind.
template <Described T>
Result<std::vector<T>> read_all(store::Transaction& tx, std::string_view kind) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kind)}));
  std::vector<T> out;
  out.reserve(objects.size());
  for (const store::Object& object : objects) {
    DROVER_TRY(T one, decode_text<T>(object.body, Unknown::ignore));
    out.push_back(std::move(one));
  }
  return out;
}

Result<AdoptWorld> read_world(store::Transaction& tx, const AdoptRequest& request,
                              const AdoptFacts& facts, const std::vector<ManagedBmc>& collected) {
  AdoptWorld world;
  world.facts = facts;
  DROVER_TRY(const auto found, found_bmcs(tx));
  world.machines = found_machines(found, collected);
  if (!request.bmcs.empty()) {
    DROVER_TRY(const auto addresses, scan_addresses(request.bmcs));
    const std::set<std::string> wanted(addresses.begin(), addresses.end());
    std::erase_if(world.machines, [&](const FoundMachine& m) { return !wanted.contains(m.bmc); });
  }
  DROVER_TRY(const auto nodes, tx.list({.kind = std::string(kNodeKind)}));
  for (const store::Object& object : nodes) {
    DROVER_TRY(const auto node, stored_node(object.key, object.body, object.reading));
    world.nodes.emplace(object.key, node->node.spec);
  }
  DROVER_TRY(const auto unknown, read_all<UnknownMachine>(tx, kUnknownKind));
  for (const UnknownMachine& machine : unknown) world.port_of_mac[machine.mac] = machine.port;
  return world;
}

/// Machines that wait for a name under one of these MACs do so no longer.
Status forget_waiting(store::Transaction& tx, const NodeSpec& spec) {
  for (const Interface& interface : spec.interfaces) {
    if (interface.mac.empty()) continue;
    DROVER_TRY(const auto waits, tx.get(kUnknownKind, interface.mac));
    if (waits) DROVER_CHECK_OK(tx.erase(kUnknownKind, interface.mac));
  }
  return {};
}

/// A BMC that a look has named by its address gets the name of its place: the xname of its nodes
/// without their own part.
Status name_bmc(store::Transaction& tx, ManagedBmc bmc, const std::string& node) {
  if (bmc.name != bmc_name_of(bmc.address)) return {};
  DROVER_TRY(const Node made, read_node(tx, node));
  const std::string name = parent_xname(xname_of(made));
  DROVER_TRY(const auto taken, tx.get(kBmcKind, name));
  if (taken || name.empty()) return {};
  DROVER_CHECK_OK(erase_bmc(tx, bmc.name));
  bmc.name = name;
  return put_bmc(tx, std::move(bmc));
}

}  // namespace

Result<AdoptResult> adopt_machines(store::Transaction& tx, const AdoptRequest& request,
                                   const AdoptFacts& facts, Callback<std::string()>& fresh_id) {
  DROVER_CHECK_OK(check(request));
  DROVER_TRY(const auto collected, read_all<ManagedBmc>(tx, kBmcKind));
  DROVER_TRY(const AdoptWorld world, read_world(tx, request, facts, collected));
  tx.explain(store::with_reason("adopted from its BMC", request.why));
  DefinitionWriter writer(tx, DefinitionWriter::Mode::together);
  if (!request.group.empty()) DROVER_CHECK_OK(writer.group(request.group));
  AdoptResult result;
  std::vector<std::string> created;
  std::map<std::string, std::string> node_on;  ///< BMC to its first node
  for (AdoptedNode& adopted : plan_adoption(request, world)) {
    AdoptRow& row = adopted.row;
    if (row.action != AdoptAction::skip) node_on.emplace(row.bmc, row.node);
    if (row.action == AdoptAction::create) {
      DROVER_CHECK_OK(writer.add_node(row.node, NodeRole::compute, adopted.spec, fresh_id()));
      created.push_back(row.node);
    } else if (row.action == AdoptAction::change || row.action == AdoptAction::replace) {
      DROVER_CHECK_OK(writer.put_spec(row.node, adopted.spec));
    }
    if (row.action != AdoptAction::skip && row.action != AdoptAction::keep) {
      DROVER_CHECK_OK(forget_waiting(tx, adopted.spec));
    }
    result.rows.push_back(std::move(row));
  }
  if (!request.group.empty() && !created.empty()) {
    DROVER_CHECK_OK(writer.change_members(request.group, created, {}));
  }
  DROVER_CHECK_OK(writer.finish());
  for (const ManagedBmc& bmc : collected) {
    const auto on = node_on.find(bmc.address);
    if (on != node_on.end()) DROVER_CHECK_OK(name_bmc(tx, bmc, on->second));
  }
  result.count();
  return result;
}

}  // namespace drover::cluster
