#include "api/smd/interface_changes.hpp"

#include "api/idempotency.hpp"
#include "api/smd/interface_rows.hpp"
#include "api/smd/manners.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/bmc/component.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/mutations.hpp"
#include "cluster/net_address.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::Interface;
using cluster::InterfaceAddress;
using cluster::KnownInterface;

constexpr std::string_view kAll = "/hsm/v2/Inventory/EthernetInterfaces";

tl::unexpected<Error> bad_address(std::string_view text) {
  constexpr size_t kShown = 80;
  return bad(fmt::format("invalid IP address '{}'", printable(text.substr(0, kShown))));
}

/// An interface as it will be, and where it was.
struct InterfaceChange {
  InterfaceRow row;      ///< `node` as it will be
  std::string old_node;  ///< empty: none
  bool fresh = false;
};

/// Brings a node's own list in line; what is not said of it there stays.
Status put_into_node(store::Transaction& tx, cluster::DefinitionWriter& writer,
                     const InterfaceRow& row) {
  DROVER_TRY(const cluster::Node node, cluster::read_node(tx, row.node));
  cluster::NodeSpec spec = node.spec;
  auto known = std::ranges::find(spec.interfaces, row.mac, &Interface::mac);
  if (known == spec.interfaces.end()) {
    Interface fresh;
    fresh.mac = row.mac;
    for (size_t number = 0; fresh.name.empty(); ++number) {
      std::string name = fmt::format("eth{}", number);
      const bool taken =
          std::ranges::find(spec.interfaces, name, &Interface::name) != spec.interfaces.end();
      if (!taken) fresh.name = std::move(name);
    }
    spec.interfaces.push_back(std::move(fresh));
    known = std::prev(spec.interfaces.end());
  }
  std::vector<std::string> addresses;
  for (const InterfaceAddress& address : row.addresses) {
    // A prefix that people wrote stays.
    const auto written = std::ranges::find_if(known->addresses, [&](const std::string& text) {
      return cluster::without_prefix(text) == address.address;
    });
    addresses.push_back(written == known->addresses.end() ? address.address : *written);
  }
  known->addresses = std::move(addresses);
  if (spec == node.spec) return {};
  DROVER_CHECK_OK(writer.put_spec(row.node, std::move(spec)));
  return {};
}

Status take_from_node(store::Transaction& tx, cluster::DefinitionWriter& writer,
                      const std::string& name, const std::string& mac) {
  DROVER_TRY(const cluster::Node node, cluster::read_node(tx, name));
  cluster::NodeSpec spec = node.spec;
  std::erase_if(spec.interfaces, [&](const Interface& one) { return one.mac == mac; });
  if (spec == node.spec) return {};
  DROVER_CHECK_OK(writer.put_spec(name, std::move(spec)));
  return {};
}

Status store_change(store::Transaction& tx, const InterfaceChange& change) {
  cluster::DefinitionWriter writer(tx, cluster::DefinitionWriter::Mode::together);
  const InterfaceRow& row = change.row;
  if (change.fresh) {
    DROVER_TRY(const auto there, tx.get(cluster::kInterfaceKind, row.mac));
    if (there) {
      return fail(Code::already_exists,
                  fmt::format("operation would conflict with an existing ethernet interface that "
                              "has the same MAC address: {}",
                              row.mac));
    }
  }
  if (!change.old_node.empty() && change.old_node != row.node) {
    DROVER_CHECK_OK(take_from_node(tx, writer, change.old_node, row.mac));
  }
  if (!row.node.empty()) DROVER_CHECK_OK(put_into_node(tx, writer, row));
  KnownInterface note;
  note.mac = row.mac;
  note.description = row.description;
  note.updated = from_unix_ms(tx.time_ms());
  if (row.node.empty()) note.component = row.component;
  for (const InterfaceAddress& address : row.addresses) {
    if (row.node.empty() || !address.network.empty()) note.addresses.push_back(address);
  }
  DROVER_CHECK_OK(tx.put(cluster::kInterfaceKind, row.mac, encode(note)));
  return writer.finish();
}

void change(Services& services, const RequestPtr& request, InterfaceChange what, Reply reply) {
  std::vector<std::string> nodes;
  for (const std::string& name : {what.old_node, what.row.node}) {
    if (!name.empty()) nodes.push_back(name);
  }
  if (const Status may = authorize(request, nodes, nodes.empty()); !may) {
    return request->fail(may.error());
  }
  mutate(
      services, request,
      [what = std::move(what), reply = std::move(reply)](store::Transaction& tx) -> Result<Reply> {
        DROVER_CHECK_OK(store_change(tx, what));
        return reply;
      });
}

Result<InterfaceAddress> read_address(const json::value& value, std::string& malformed) {
  Members from(value);
  const auto text = from.text("IPAddress");
  InterfaceAddress out;
  out.network = from.text("Network").value_or("");
  malformed = from.wrong();
  const auto address = cluster::canonical_address(text.value_or(""));
  if (!address || address->find('/') != std::string::npos) return bad_address(text.value_or(""));
  DROVER_CHECK_OK(cluster::check_plain_text("Network", out.network, cluster::kMaxSetName));
  out.address = *address;
  return out;
}

/// Members of a body over what is known.
Status read_into(Members& from, InterfaceRow& row, std::string& malformed) {
  if (auto description = from.text("Description")) row.description = *std::move(description);
  DROVER_CHECK_OK(
      cluster::check_plain_text("Description", row.description, cluster::kMaxDescription));
  if (const auto component = from.text("ComponentID")) {
    const auto xname = cluster::parse_xname(*component);
    if (!xname && !component->empty()) {
      return bad(fmt::format("invalid xname ID '{}'", printable(component->substr(0, 80))));
    }
    row.component = xname ? xname->text : "";
  }
  malformed = from.wrong();
  const json::value* list = from.find("IPAddresses");
  if (list == nullptr) return {};
  const auto* array = list->if_array();
  if (array == nullptr) {
    malformed = "IPAddresses: expected a list";
    return {};
  }
  row.addresses.clear();
  for (const json::value& each : *array) {
    DROVER_TRY(InterfaceAddress address, read_address(each, malformed));
    row.addresses.push_back(std::move(address));
  }
  return {};
}

/// Whose it will be: a node where its component is one.
void settle_owner(const Services& services, InterfaceRow& row) {
  row.node.clear();
  if (row.component.empty()) return;
  const cluster::NodeEntry* entry = cluster::XnameIndex(services.model).find(row.component);
  if (entry != nullptr) row.node = entry->node().name;
}

void remove_rows(Services& services, const RequestPtr& request, std::vector<InterfaceRow> rows) {
  std::vector<std::string> nodes;
  for (const InterfaceRow& row : rows) {
    if (!row.node.empty()) nodes.push_back(row.node);
  }
  const bool beyond = nodes.size() < rows.size();
  if (const Status may = authorize(request, nodes, beyond); !may) return request->fail(may.error());
  mutate(services, request, [rows = std::move(rows)](store::Transaction& tx) -> Result<Reply> {
    cluster::DefinitionWriter writer(tx, cluster::DefinitionWriter::Mode::together);
    for (const InterfaceRow& row : rows) {
      if (!row.node.empty()) DROVER_CHECK_OK(take_from_node(tx, writer, row.node, row.mac));
      DROVER_CHECK_OK(tx.erase(cluster::kInterfaceKind, row.mac));
    }
    DROVER_CHECK_OK(writer.finish());
    return Reply{200, deleted_text(rows.size()), ""};
  });
}

}  // namespace

std::optional<InterfaceRow> find_interface(const Services& services, const RequestPtr& request) {
  const auto rows = interface_rows(services.model);
  const auto found = rows.find(interface_id(request->path("id")));
  return found == rows.end() ? std::nullopt : std::optional(found->second);
}

Error no_such_interface() {
  return missing("no such ethernet interface.");
}

void post_interface(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  const auto given = from.text("MACAddress");
  InterfaceChange what;
  what.fresh = true;
  std::string malformed;
  const Status read = read_into(from, what.row, malformed);
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!read) return request->fail(read.error());
  const auto mac = cluster::canonical_mac(given.value_or(""));
  if (!mac) {
    const std::string shown = printable(given.value_or("").substr(0, 80));
    return request->fail(
        {Code::invalid_argument, fmt::format("invalid MAC address '{}'", shown), {}, {}});
  }
  what.row.mac = *mac;
  const std::string id = interface_id(*mac);
  if (interface_rows(services.model).contains(id)) {
    return request->fail({Code::conflict,
                          fmt::format("operation would conflict with an existing ethernet "
                                      "interface that has the same MAC address: {}",
                                      *mac),
                          {},
                          {}});
  }
  settle_owner(services, what.row);
  const std::string uri = fmt::format("{}/{}", kAll, id);
  change(services, request, std::move(what), {201, uri_text(uri), "", uri});
}

void patch_interface(Services& services, const RequestPtr& request) {
  const auto known = find_interface(services, request);
  if (!known) return request->fail(no_such_interface());
  const auto body = body_of_request(services, request);
  if (!body) return;
  InterfaceChange what{*known, known->node, false};
  Members from(*body);
  std::string malformed;
  const Status read = read_into(from, what.row, malformed);
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!read) return request->fail(read.error());
  settle_owner(services, what.row);
  std::string out;
  append_json(out, what.row);
  change(services, request, std::move(what), {200, out, ""});
}

void add_interface_address(Services& services, const RequestPtr& request) {
  const auto known = find_interface(services, request);
  if (!known) return request->fail(no_such_interface());
  const auto body = body_of_request(services, request);
  if (!body) return;
  std::string malformed;
  const auto address = read_address(*body, malformed);
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!address) return request->fail(address.error());
  InterfaceChange what{*known, known->node, false};
  const bool there = std::ranges::find(what.row.addresses, address->address,
                                       &InterfaceAddress::address) != what.row.addresses.end();
  if (there) {
    return request->fail({Code::conflict,
                          "operation would conflict with an existing IP address of the interface",
                          {},
                          {}});
  }
  what.row.addresses.push_back(*address);
  const std::string uri =
      fmt::format("{}/{}/IPAddresses/{}", kAll, interface_id(known->mac), address->address);
  change(services, request, std::move(what), {201, uri_text(uri), "", uri});
}

void patch_interface_address(Services& services, const RequestPtr& request, bool remove) {
  const auto known = find_interface(services, request);
  if (!known) return request->fail(no_such_interface());
  InterfaceChange what{*known, known->node, false};
  const auto asked = cluster::canonical_address(request->path("ip"));
  const auto found =
      std::ranges::find(what.row.addresses, asked.value_or(""), &InterfaceAddress::address);
  if (found == what.row.addresses.end()) return request->fail(missing("no such IP address."));
  if (remove) {
    what.row.addresses.erase(found);
    return change(services, request, std::move(what), {200, deleted_text(1), ""});
  }
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members from(*body);
  if (auto network = from.text("Network")) found->network = *std::move(network);
  if (!from.wrong().empty()) return refuse_malformed(services, request, from.wrong());
  const Status plain = cluster::check_plain_text("Network", found->network, cluster::kMaxSetName);
  if (!plain) return request->fail(plain.error());
  change(services, request, std::move(what), {200, done_text("updated 1 entry"), ""});
}

void remove_interface(Services& services, const RequestPtr& request) {
  const auto row = find_interface(services, request);
  if (!row) return request->fail(no_such_interface());
  if (row->of_bmc) {
    return request->fail(
        {Code::conflict,
         fmt::format("it is an interface of the controller {}, which says so itself",
                     row->component),
         {},
         {}});
  }
  remove_rows(services, request, {*row});
}

void remove_all_interfaces(Services& services, const RequestPtr& request) {
  std::vector<InterfaceRow> rows;
  for (auto& [id, row] : interface_rows(services.model)) {
    if (!row.of_bmc) rows.push_back(row);
  }
  if (rows.empty()) return request->fail(missing("no entries to delete"));
  remove_rows(services, request, std::move(rows));
}

}  // namespace drover::api::smd
