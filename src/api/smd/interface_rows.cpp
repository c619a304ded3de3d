#include "api/smd/interface_rows.hpp"

#include "api/smd/manners.hpp"
#include "cluster/attributes.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::InterfaceAddress;

bool has_formula(const cluster::Interface& interface) {
  const auto formula = [](const std::string& text) { return text.find("${") != std::string::npos; };
  return formula(interface.mac) || std::ranges::any_of(interface.addresses, formula);
}

InterfaceRow of_interface(const cluster::Interface& interface, const cluster::Node& node,
                          const std::string& xname) {
  InterfaceRow row;
  row.mac = interface.mac;
  row.node = node.name;
  row.component = xname;
  row.updated = node.service.since;
  for (const std::string& address : interface.addresses) {
    row.addresses.push_back({std::string(cluster::without_prefix(address)), interface.network});
  }
  return row;
}

/// What the store says beside a node: description, time and the networks of addresses.
void annotate(InterfaceRow& row, const cluster::KnownInterface& note) {
  row.description = note.description;
  if (note.updated != WallTime{}) row.updated = note.updated;
  for (InterfaceAddress& address : row.addresses) {
    const auto noted =
        std::ranges::find(note.addresses, address.address, &InterfaceAddress::address);
    if (noted != note.addresses.end()) address.network = noted->network;
  }
}

class Collector {
 public:
  explicit Collector(const cluster::Model& model) : model_(model) {}

  InterfaceRows collect() && {
    for (const auto& [name, entry] : model_.nodes()) add_node(entry.node());
    for (const auto& [mac, note] : model_.hardware().interfaces()) add_stored(note);
    for (const auto& [name, bmc] : model_.hardware().bmcs()) add_bmc(bmc);
    for (const auto& [name, entry] : model_.nodes()) add_own_bmc(entry.node());
    return std::move(rows_);
  }

 private:
  void add(InterfaceRow row) {
    std::string id = interface_id(row.mac);
    if (!id.empty()) rows_.try_emplace(std::move(id), std::move(row));
  }

  void add_node(const cluster::Node& node) {
    if (node.spec.interfaces.empty()) return;
    const std::string xname = cluster::xname_of(node);
    for (size_t i = 0; i < node.spec.interfaces.size(); ++i) {
      const cluster::Interface& interface = node.spec.interfaces[i];
      if (!has_formula(interface)) {
        add(of_interface(interface, node, xname));
        continue;
      }
      const cluster::ModelDefinitions definitions(model_);
      cluster::NodeAttributes attributes(node, definitions);
      const auto evaluated = cluster::evaluate_interface(attributes, interface, i);
      if (evaluated) add(of_interface(*evaluated, node, xname));
    }
  }

  void add_stored(const cluster::KnownInterface& note) {
    const auto known = rows_.find(interface_id(note.mac));
    if (known != rows_.end()) return annotate(known->second, note);
    add({note.mac, note.description, note.component, {}, false, note.addresses, note.updated});
  }

  void add_bmc(const cluster::ManagedBmc& bmc) {
    if (!cluster::parse_xname(bmc.name)) return;
    const auto address = cluster::canonical_address(bmc.address);
    const std::string ip = !bmc.ip.empty() ? bmc.ip : address ? bmc.address : "";
    InterfaceRow row{bmc.mac, bmc.description, bmc.name, {}, true, {}, bmc.look.attempted};
    if (!ip.empty()) row.addresses.push_back({ip, ""});
    add(std::move(row));
    if (!bmc.inventory) return;
    for (const cluster::BmcManager& manager : bmc.inventory->managers) {
      for (const cluster::BmcNic& nic : manager.nics) {
        InterfaceRow one{nic.mac, nic.description, bmc.name, {}, true, {}, bmc.look.attempted};
        for (const std::string& each : nic.addresses) one.addresses.push_back({each, ""});
        add(std::move(one));
      }
    }
  }

  /// Of a node whose BMC is known from the node alone.
  void add_own_bmc(const cluster::Node& node) {
    if (!node.spec.bmc || node.spec.bmc->mac.empty()) return;
    const cluster::Bmc& bmc = *node.spec.bmc;
    InterfaceRow row{
        bmc.mac,           "", cluster::parent_xname(cluster::xname_of(node)), {}, true, {},
        node.service.since};
    if (cluster::canonical_address(bmc.address)) row.addresses.push_back({bmc.address, ""});
    add(std::move(row));
  }

  const cluster::Model& model_;
  InterfaceRows rows_;
};

}  // namespace

std::string interface_id(std::string_view text) {
  // An ID is a MAC without separators: they are put in again.
  std::string spread;
  const bool bare = text.find_first_of(":-.") == std::string_view::npos;
  for (size_t i = 0; bare && i < text.size(); ++i) {
    if (i > 0 && i % 2 == 0) spread += ':';
    spread += text[i];
  }
  auto mac = cluster::canonical_mac(bare ? std::string_view(spread) : text);
  if (!mac) return {};
  std::erase(*mac, ':');
  return *std::move(mac);
}

InterfaceRows interface_rows(const cluster::Model& model) {
  return Collector(model).collect();
}

void append_json(std::string& out, const std::vector<InterfaceAddress>& addresses) {
  out += '[';
  for (const InterfaceAddress& address : addresses) {
    if (out.back() != '[') out += ',';
    out += R"({"IPAddress":)";
    append_quoted(out, address.address);
    if (!address.network.empty()) {
      out += R"(,"Network":)";
      append_quoted(out, address.network);
    }
    out += '}';
  }
  out += ']';
}

void append_json(std::string& out, const InterfaceRow& row) {
  const auto member = [&](std::string_view key, std::string_view value) {
    if (out.back() != '{') out += ',';
    append_quoted(out, key);
    out += ':';
    append_quoted(out, value);
  };
  out += '{';
  member("ID", interface_id(row.mac));
  member("Description", row.description);
  member("MACAddress", row.mac);
  if (row.updated != WallTime{}) member("LastUpdate", to_rfc3339(row.updated));
  member("ComponentID", row.component);
  const auto xname = cluster::parse_xname(row.component);
  member("Type", xname ? enum_name(xname->type) : std::string_view());
  out += R"(,"IPAddresses":)";
  append_json(out, row.addresses);
  out += '}';
}

}  // namespace drover::api::smd
