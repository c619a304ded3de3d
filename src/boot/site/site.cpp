// Machines by all that they are known by. What is asked for often (reservations, scripts) is kept
// finished beside each port; what follows from attributes is finished when it is first asked for.
#include "boot/site/site.hpp"

#include "boot/site/given.hpp"
#include "boot/site/place.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace drover::boot {
namespace {

/// The GUID at the end of an InfiniBand hardware address (20 octets) or of a client identifier.
constexpr size_t kGuid = 8;

std::string octets_of_mac(std::string_view canonical) {
  std::string out;
  for (size_t i = 0; i + 1 < canonical.size(); i += 3) {
    unsigned octet = 0;
    std::from_chars(canonical.data() + i, canonical.data() + i + 2, octet, 16);
    out.push_back(static_cast<char>(octet));
  }
  return out;
}

}  // namespace

Site::Site(const cluster::Model& model, const Images& images, SiteOptions options)
    : model_(model), images_(images), options_(std::move(options)) {
  reservations6_ = std::make_unique<Reservations6>(by_mac_);
  rebuild();
}
Site::~Site() = default;

void Site::rebuild() {
  machines_.clear();
  by_mac_.clear();
  by_guid_.clear();
  by_port_.clear();
  by_nid_.clear();
  by_address_.clear();
  in_pools_.clear();
  hosts_.clear();
  networks_ = std::make_unique<NetworkIndex>(model_.networks());
  pools_ = pools();
  const size_t count = model_.nodes().size();
  machines_.reserve(count);
  by_mac_.reserve(2 * count);
  add_own_names();
  for (const auto& [name, entry] : model_.nodes()) add(entry.node());
}

void Site::add(const cluster::Node& node) {
  auto machine = std::make_unique<Machine>();
  machine->name = node.name;
  machine->spec = node.spec;
  machine->ports = ports_of(model_, *networks_, node, problems_);
  const Port* const boots = boot_port(machine->ports);
  machine->places.reserve(machine->ports.size() + 1);
  for (const Port& port : machine->ports) {
    machine->places.emplace_back(*machine, &port);
    if (&port == boots) machine->boots = &machine->places.back();
  }
  if (machine->boots == nullptr) {
    machine->boots = &machine->places.emplace_back(*machine, nullptr);
  }
  for (Place& place : machine->places) index(*machine, place);
  if (node.spec.nid != 0) by_nid_[node.spec.nid] = machine.get();
  add_names(*machine);
  machines_[node.name] = std::move(machine);
}

void Site::index(Machine& machine, Place& place) {
  if (place.port == nullptr) return;
  const Port& port = *place.port;
  place.fill(options_, model_);
  for (const Ipv4 address : place.reservation.addresses) {
    if (is_in_pool(address)) ++in_pools_[address.value];
  }
  if (&place == machine.boots) {
    for (std::string& port_name : machine.find_switch_ports(model_)) {
      by_port_[port_name] = &place;
      place.reservation.at_port = true;
      machine.switch_ports.push_back(std::move(port_name));
    }
  }
  if (!port.is_bmc) {
    for (const std::string& address : port.interface.addresses) {
      by_address_[std::string(cluster::without_prefix(address))] = &machine;
    }
  }
  if (port.interface.mac.empty()) return;
  const std::string octets = octets_of_mac(port.interface.mac);
  if (octets.size() == 6) {
    by_mac_[HardwareAddress::from(1, octets)] = &place;
  } else if (octets.size() >= kGuid) {
    by_guid_[octets.substr(octets.size() - kGuid)] = &place;
  }
}

void Site::remove(const std::string& name) {
  const auto it = machines_.find(name);
  if (it == machines_.end()) return;
  Machine& machine = *it->second;
  for (const Place& place : machine.places) {
    if (place.port == nullptr) continue;
    for (const Ipv4 address : place.reservation.addresses) {
      const auto held = in_pools_.find(address.value);
      if (held != in_pools_.end() && --held->second == 0) in_pools_.erase(held);
    }
    for (const std::string& address : place.port->interface.addresses) {
      const auto held = by_address_.find(cluster::without_prefix(address));
      if (held != by_address_.end() && held->second == &machine) by_address_.erase(held);
    }
    const std::string octets = octets_of_mac(place.port->interface.mac);
    if (octets.size() == 6) {
      const auto mac = by_mac_.find(HardwareAddress::from(1, octets));
      if (mac != by_mac_.end() && mac->second == &place) by_mac_.erase(mac);
    } else if (octets.size() >= kGuid) {
      const auto guid = by_guid_.find(octets.substr(octets.size() - kGuid));
      if (guid != by_guid_.end() && guid->second == &place) by_guid_.erase(guid);
    }
  }
  for (const std::string& port : machine.switch_ports) {
    const auto held = by_port_.find(port);
    if (held != by_port_.end() && held->second == machine.boots) by_port_.erase(held);
  }
  const auto nid = by_nid_.find(machine.spec.nid);
  if (nid != by_nid_.end() && nid->second == &machine) by_nid_.erase(nid);
  for (const dns::Name& host : machine.names) hosts_.remove(host);
  machines_.erase(it);
}

bool Site::is_in_pool(Ipv4 address) const {
  return std::ranges::any_of(pools_, [&](const dhcp::Pool& pool) {
    return pool.first <= address && address <= pool.last;
  });
}

std::vector<Ipv4> Site::reserved() const {
  std::vector<Ipv4> out;
  out.reserve(in_pools_.size());
  for (const auto& [address, count] : in_pools_) out.push_back({address});
  std::ranges::sort(out);
  return out;
}

Refreshed Site::refresh(std::span<const store::Change> changes) {
  Refreshed out;
  bool everything = false;
  std::set<std::string> nodes;
  for (const store::Change& change : changes) {
    if (change.kind == cluster::kNodeKind) {
      nodes.insert(change.key);
    } else if (change.kind == cluster::kNetworkKind) {
      out.networks = true;
    } else if (change.kind == cluster::kGroupKind || change.kind == cluster::kProfileKind) {
      everything = true;
    } else if (change.kind == cluster::kBootNextKind) {
      const auto it = machines_.find(change.key);
      if (it == machines_.end()) continue;
      for (Place& place : it->second->places) place.finished = 0;
    } else if (change.kind == cluster::kImageKind || change.kind == cluster::kCloudInitKind) {
      ++epoch_;
    }
  }
  const std::vector<Ipv4> before = reserved();
  if (everything || out.networks) {
    rebuild();
    out.machines = machines_.size();
  } else {
    for (const std::string& name : nodes) {
      const cluster::NodeEntry* entry = model_.find(name);
      const auto known = machines_.find(name);
      if (entry != nullptr && known != machines_.end() &&
          known->second->spec == entry->node().spec) {
        // States alone: who is in a dynamic group may be another now.
        for (Place& place : known->second->places) place.finished = 0;
        continue;
      }
      remove(name);
      if (entry != nullptr) add(entry->node());
      ++out.machines;
    }
  }
  if (out.machines == 0) return out;
  const std::vector<Ipv4> after = reserved();
  std::ranges::set_difference(after, before, std::back_inserter(out.reserved));
  std::ranges::set_difference(before, after, std::back_inserter(out.freed));
  return out;
}

const dhcp::Reservation* Site::by_hardware(const HardwareAddress& address) const {
  const auto it = by_mac_.find(address);
  return it == by_mac_.end() ? nullptr : &it->second->reservation;
}

const dhcp::Reservation* Site::by_client_id(std::string_view client_id) const {
  if (client_id.size() < kGuid) return nullptr;
  const auto it = by_guid_.find(client_id.substr(client_id.size() - kGuid));
  return it == by_guid_.end() ? nullptr : &it->second->reservation;
}

const dhcp::Reservation* Site::by_port(std::string_view circuit_id,
                                       std::string_view remote_id) const {
  auto it = by_port_.find(fmt::format("{}/{}", remote_id, circuit_id));
  if (it == by_port_.end()) it = by_port_.find(circuit_id);
  return it == by_port_.end() ? nullptr : &it->second->reservation;
}

const dhcp6::ReservationView& Site::reservations6() const {
  return *reservations6_;
}

Site::Place* Site::place_of(std::string_view node) const {
  const auto it = machines_.find(std::string(node));
  return it == machines_.end() ? nullptr : it->second->boots;
}

// Of a node whose MAC nobody has said, since its switch port says who it is.
Site::Place* Site::without_mac(std::string_view node) const {
  Place* const place = node.empty() ? nullptr : place_of(node);
  const bool any = place != nullptr && place->port != nullptr && place->port->interface.mac.empty();
  return any ? place : nullptr;
}

Site::Place* Site::find(const ScriptRequest& request, ScriptAnswer& answer) const {
  if (!request.mac.empty()) {
    const auto mac = cluster::canonical_mac(request.mac);
    if (!mac) {
      answer.text = "mac: expected the octets of one interface, such as 52:54:00:12:34:56";
      return nullptr;
    }
    answer.mac = *mac;
    answer.outcome = ScriptOutcome::unknown;
    const std::string octets = octets_of_mac(*mac);
    if (octets.size() == 6) {
      const auto it = by_mac_.find(HardwareAddress::from(1, octets));
      if (it == by_mac_.end()) return without_mac(request.name);
      return it->second->port->is_bmc ? nullptr : it->second;
    }
    const auto it = by_guid_.find(octets.substr(octets.size() - kGuid));
    return it == by_guid_.end() ? nullptr : it->second;
  }
  if (!request.name.empty() || !request.xname.empty()) {
    answer.outcome = ScriptOutcome::unknown;
    const std::string_view name = request.name.empty() ? request.xname : request.name;
    if (Place* place = place_of(name)) return place;
    const cluster::NodeEntry* entry = model_.find_alias(name);
    return entry == nullptr ? nullptr : place_of(entry->node().name);
  }
  if (!request.nid.empty()) {
    uint64_t nid = 0;
    const char* const end = request.nid.data() + request.nid.size();
    const auto [rest, error] = std::from_chars(request.nid.data(), end, nid);
    if (error != std::errc() || rest != end) {
      answer.text = "nid: expected a number";
      return nullptr;
    }
    answer.outcome = ScriptOutcome::unknown;
    const auto it = by_nid_.find(nid);
    return it == by_nid_.end() ? nullptr : it->second->boots;
  }
  answer.text = "expected one of mac, name, nid and xname";
  return nullptr;
}

ScriptAnswer Site::script(const ScriptRequest& request) {
  ScriptAnswer answer;
  Place* const place = find(request, answer);
  const script::LateValues late{.server = request.server,
                                .token = request.token,
                                .source = request.source,
                                .mac = answer.mac,
                                .tries = request.tries};
  if (place == nullptr) {
    if (answer.outcome == ScriptOutcome::unknown) {
      answer.text = stranger_script(model_, options_, request, answer.mac).render(late);
    }
    return answer;
  }
  if (place->finished != epoch_ || place->loader != request.loader) {
    place->finish(request.loader, model_, images_, options_);
    place->finished = epoch_;
  }
  answer.outcome = place->why.empty() ? ScriptOutcome::known : ScriptOutcome::refused;
  answer.node = place->machine->name;
  if (place->port != nullptr && !place->port->interface.mac.empty()) {
    answer.mac = place->port->interface.mac;
  }
  answer.why = place->why;
  answer.elsewhere = place->elsewhere;
  if (place->once) {
    const auto next = model_.boot_nexts().find(answer.node);
    if (next != model_.boot_nexts().end()) answer.once = next->second.asked;
  }
  place->text.append_to(answer.text, late);
  return answer;
}

std::string Site::node_at(std::string_view address) const {
  const auto parsed = cluster::IpAddress::parse(address);
  if (!parsed) return {};
  const auto it = by_address_.find(parsed->text());
  return it == by_address_.end() ? std::string() : it->second->name;
}

Result<BootPlan> Site::plan(std::string_view node) const {
  const cluster::NodeEntry* entry = model_.find(node);
  const Place* const place = place_of(node);
  if (entry == nullptr || place == nullptr) {
    return fail(Code::not_found, fmt::format("there is no node '{}'", node),
                "drover node list shows all of them");
  }
  return plan_for(model_, images_, options_, entry->node(), place->port, true);
}

}  // namespace drover::boot
