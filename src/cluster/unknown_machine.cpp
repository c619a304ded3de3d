#include "cluster/unknown_machine.hpp"

#include "base/noderange.hpp"
#include "cluster/claims.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/mutations.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// Where the search for a free name goes on, by network; bookkeeping beside the networks.
constexpr std::string_view kNumberingKind = "numbering";

Result<std::string> mac_of(std::string_view text) {
  auto mac = canonical_mac(text);
  if (!mac) return bad_field("mac", text, "expected a MAC address, such as 52:54:00:77:00:01");
  return *std::move(mac);
}

Result<std::optional<UnknownMachine>> read_unknown(store::Transaction& tx, const std::string& mac) {
  DROVER_TRY(const auto object, tx.get(kUnknownKind, mac));
  if (!object) return std::optional<UnknownMachine>();
  DROVER_TRY(auto machine, decode_text<UnknownMachine>(object->body, Unknown::ignore));
  return std::optional(std::move(machine));
}

Status write_unknown(store::Transaction& tx, const UnknownMachine& machine) {
  return tx.put(kUnknownKind, machine.mac, encode(machine)).map([](uint64_t) {});
}

/// Makes room for one more: who was silent the longest goes, the ignored last.
Status make_room(store::Transaction& tx) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kUnknownKind)}));
  if (objects.size() < kMostUnknown) return {};
  std::optional<UnknownMachine> oldest;
  for (const store::Object& object : objects) {
    DROVER_TRY(auto each, decode_text<UnknownMachine>(object.body, Unknown::ignore));
    const auto key = [](const UnknownMachine& m) { return std::pair(m.ignored, m.last_seen); };
    if (!oldest || key(each) < key(*oldest)) oldest = std::move(each);
  }
  tx.explain(fmt::format("more than {} machines are unknown", kMostUnknown));
  return tx.erase(kUnknownKind, oldest->mac).map([](bool) {});
}

Result<UnknownMachine> waiting_machine(store::Transaction& tx, const std::string& mac) {
  DROVER_TRY(auto machine, read_unknown(tx, mac));
  if (machine) return *std::move(machine);
  return fail(Code::not_found, fmt::format("no machine with the MAC {} waits", mac),
              "drover boot unknown");
}

bool has_mac(const Node& node) {
  return std::ranges::any_of(node.spec.interfaces,
                             [](const Interface& each) { return !each.mac.empty(); });
}

/// Whether a machine may become this node by a policy.
Result<bool> is_free(store::Transaction& tx, const std::string& name) {
  auto node = read_node(tx, name);
  if (node) return !has_mac(*node);
  if (node.error().code == Code::not_found) return true;
  return tl::unexpected<Error>(node.error());
}

/// "Gi1/0/7" and "3/ge-0/0/7" are 7.
std::optional<uint64_t> last_number(std::string_view port) {
  const size_t end = port.find_last_of("0123456789");
  if (end == port.npos) return {};
  const size_t before = port.find_last_not_of("0123456789", end);
  const std::string_view digits = port.substr(before == port.npos ? 0 : before + 1);
  uint64_t out = 0;
  const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc{}) return {};
  return out;
}

Result<size_t> read_hint(store::Transaction& tx, const std::string& network) {
  DROVER_TRY(const auto object, tx.get(kNumberingKind, network));
  size_t out = 0;
  if (object) {
    std::from_chars(object->body.data(), object->body.data() + object->body.size(), out);
  }
  return out;
}

/// Names the machine as its network says; why not, or nothing when it has its name.
Result<std::string> number_machine(store::Transaction& tx, const UnknownMachine& machine,
                                   const Network& network, const std::string& fresh_id) {
  DROVER_TRY(const auto names, expand_names(network.number_nodes));
  DROVER_TRY(size_t hint, read_hint(tx, network.name));
  const auto name = choose_name(tx, machine, names, network.number_by, hint);
  if (!name) return name.error().text();
  tx.explain(fmt::format("numbered by network {}{}", network.name,
                         machine.port.empty() ? "" : ", seen at " + machine.port));
  DefinitionWriter writer(tx);
  const Status approved = approve_machine(tx, writer, {machine.mac, *name, {}, false}, fresh_id);
  DROVER_CHECK_OK(writer.finish());
  if (!approved) return approved.error().text();
  DROVER_CHECK_OK(tx.put_quiet(kNumberingKind, network.name, std::to_string(hint)));
  return std::string();
}

/// The interface that takes the MAC; null: a new one is needed.
Result<Interface*> interface_for(NodeSpec& spec, const Approval& approval) {
  auto& all = spec.interfaces;
  const auto named = std::ranges::find(all, approval.interface, &Interface::name);
  const auto empty = std::ranges::find(all, std::string(), &Interface::mac);
  Interface* chosen = nullptr;
  if (!approval.interface.empty()) {
    if (named == all.end()) return nullptr;
    chosen = &*named;
  } else if (empty != all.end()) {
    chosen = &*empty;
  } else if (!all.empty()) {
    chosen = &all.front();
  }
  if (chosen == nullptr || chosen->mac.empty() || approval.replace) return chosen;
  return fail(Code::conflict,
              fmt::format("{} has {} at {} already", approval.node, chosen->mac, chosen->name),
              fmt::format("drover boot approve {} --as {} --replace", approval.mac, approval.node));
}

}  // namespace

void Sighting::describe(Visitor& v) {
  v.field("mac", mac, "Its hardware address.");
  v.field("at", at, "When its newest packet came.");
  v.field("count", count, "Packets since it was last told of.", Presence::optional);
  v.field("network", network, "Name of the network that it is on.", Presence::optional);
  v.field("port", port, "The switch port that a relay told of.", Presence::optional);
  v.field("client", client, "What asks: plain, pxe, http or ipxe.", Presence::optional);
  v.field("arch", arch, "Its architecture, where its firmware says.", Presence::optional);
  v.field("uuid", uuid, "Its machine identifier, where its firmware says.", Presence::optional);
}

void UnknownMachine::describe(Visitor& v) {
  v.field("mac", mac, "Its hardware address.");
  v.field("first_seen", first_seen, "When its first packet came; null: it was never seen.");
  v.field("last_seen", last_seen, "When it was last told of: at most five minutes late.");
  v.field("count", count, "How many packets of it came.");
  v.field("network", network, "Name of the network that it is on.");
  v.field("port", port, "The switch port that a relay told of in option 82; empty: none did.");
  v.field("client", client,
          "What asks: pxe or http (firmware), ipxe, plain (a system, a BMC, a switch).");
  v.field("arch", arch, "Its architecture, where its firmware says.");
  v.field("uuid", uuid, "Its machine identifier (SMBIOS), where its firmware says.");
  v.field("daemon", daemon, "The boot daemon that saw it last.");
  v.field("ignored", ignored, "Whether nothing is answered to it.");
  v.field("why", why, "Why it is ignored, or why its network's policy gave it no name.");
}

Result<Sighting> parse_sighting(std::string_view text) {
  DROVER_TRY(Sighting out, decode_text<Sighting>(text));
  DROVER_TRY(out.mac, mac_of(out.mac));
  for (const auto& [field, value] : {std::pair{"network", &out.network},
                                     {"port", &out.port},
                                     {"client", &out.client},
                                     {"arch", &out.arch},
                                     {"uuid", &out.uuid}}) {
    DROVER_CHECK_OK(check_plain_text(field, *value, kMaxSightingText));
  }
  return out;
}

Status apply_sighting(store::Transaction& tx, const Sighting& sighting, const std::string& daemon,
                      const std::string& fresh_id) {
  DROVER_TRY(const std::string owner, ClaimBook(tx).holder("mac/" + sighting.mac));
  if (!owner.empty()) return {};  // approved while the record was under way
  DROVER_TRY(const auto known, read_unknown(tx, sighting.mac));
  UnknownMachine machine = known.value_or(UnknownMachine{});
  if (!known) DROVER_CHECK_OK(make_room(tx));
  machine.mac = sighting.mac;
  if (machine.first_seen == WallTime{}) machine.first_seen = sighting.at;
  machine.last_seen = std::max(machine.last_seen, sighting.at);
  machine.count += sighting.count;
  machine.network = sighting.network;
  // Not every packet has all of it.
  for (auto& [to, from] : {std::pair{&machine.port, &sighting.port},
                           {&machine.client, &sighting.client},
                           {&machine.arch, &sighting.arch},
                           {&machine.uuid, &sighting.uuid}}) {
    if (!from->empty()) *to = *from;
  }
  machine.daemon = daemon;
  tx.explain(fmt::format("seen by boot daemon {}", daemon));
  DROVER_CHECK_OK(write_unknown(tx, machine));
  if (machine.ignored || sighting.network.empty()) return {};
  DROVER_TRY(const auto object, tx.get(kNetworkKind, sighting.network));
  if (!object) return {};
  DROVER_TRY(const auto network, decode_text<Network>(object->body, Unknown::ignore));
  if (network.unknown != UnknownMachines::number) return {};
  DROVER_TRY(const std::string why, number_machine(tx, machine, network, fresh_id));
  if (why.empty()) return {};
  machine.why = "not numbered: " + why;
  return write_unknown(tx, machine);
}

Status approve_machine(store::Transaction& tx, DefinitionWriter& writer, const Approval& approval,
                       const std::string& fresh_id) {
  DROVER_TRY(const std::string mac, mac_of(approval.mac));
  DROVER_TRY(const UnknownMachine machine, waiting_machine(tx, mac));
  auto node = read_node(tx, approval.node);
  if (!node && node.error().code != Code::not_found) return tl::unexpected<Error>(node.error());
  NodeSpec spec = node ? node->spec : NodeSpec{};
  DROVER_TRY(Interface* const interface, interface_for(spec, approval));
  if (interface != nullptr) {
    interface->mac = mac;
  } else {
    const std::string name = approval.interface.empty() ? "eth0" : approval.interface;
    spec.interfaces.push_back({name, mac, {}, machine.network});
  }
  const auto written =
      node ? writer.put_spec(approval.node, std::move(spec))
           : writer.add_node(approval.node, NodeRole::compute, std::move(spec), fresh_id);
  if (!written) return tl::unexpected<Error>(written.error());
  return forget_machine(tx, mac).map([](bool) {});
}

Status note_machine(store::Transaction& tx, UnknownMachine machine) {
  DROVER_TRY(machine.mac, mac_of(machine.mac));
  for (const auto& [field, value] :
       {std::pair{"network", &machine.network}, {"port", &machine.port}}) {
    DROVER_CHECK_OK(check_plain_text(field, *value, kMaxSightingText));
  }
  DROVER_TRY(const std::string owner, ClaimBook(tx).holder("mac/" + machine.mac));
  if (!owner.empty()) {
    return fail(Code::conflict, fmt::format("{} is a MAC of node {}", machine.mac, owner),
                fmt::format("drover node show {}", owner));
  }
  DROVER_TRY(const auto known, read_unknown(tx, machine.mac));
  if (known) {
    return fail(Code::already_exists, fmt::format("{} is known already", machine.mac),
                "drover boot unknown");
  }
  DROVER_CHECK_OK(make_room(tx));
  tx.explain(machine.why);
  return write_unknown(tx, machine);
}

Status ignore_machine(store::Transaction& tx, const std::string& text, bool ignored,
                      const std::string& why) {
  DROVER_TRY(const std::string mac, mac_of(text));
  DROVER_TRY(UnknownMachine machine, waiting_machine(tx, mac));
  machine.ignored = ignored;
  machine.why = ignored ? why : std::string();
  tx.explain(why);
  return write_unknown(tx, machine);
}

Result<bool> forget_machine(store::Transaction& tx, const std::string& text) {
  DROVER_TRY(const std::string mac, mac_of(text));
  return tx.erase(kUnknownKind, mac);
}

Result<std::string> choose_name(store::Transaction& tx, const UnknownMachine& machine,
                                const std::vector<std::string>& names, NumberBy by, size_t& hint) {
  if (by == NumberBy::port) {
    const auto place = last_number(machine.port);
    if (!place) return fail(Code::conflict, "no relay tells of a switch port with a number");
    if (*place == 0 || *place > names.size()) {
      return fail(Code::not_found, fmt::format("port {} is number {}, and there are {} names",
                                               machine.port, *place, names.size()));
    }
    const std::string& name = names[*place - 1];
    DROVER_TRY(const bool free, is_free(tx, name));
    if (free) return name;
    return fail(Code::conflict,
                fmt::format("{}, of port {}, has a machine already", name, machine.port));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const size_t at = (hint + i) % names.size();
    DROVER_TRY(const bool free, is_free(tx, names[at]));
    if (!free) continue;
    hint = at + 1;
    return names[at];
  }
  return fail(Code::not_found, fmt::format("each of the {} names has a machine", names.size()));
}

}  // namespace drover::cluster
