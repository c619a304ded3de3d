#include "api/smd/endpoint_store.hpp"

#include "cluster/hardware/bmc_access.hpp"
#include "cluster/net_address.hpp"
#include "cluster/stored_node.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::BmcNic;
using cluster::BmcSystem;
using cluster::Interface;
using cluster::ManagedBmc;

/// A name that an interface of the node may have and none has yet.
std::string free_name(const std::vector<Interface>& interfaces) {
  for (size_t number = 0;; ++number) {
    std::string name = fmt::format("eth{}", number);
    const bool taken = std::ranges::any_of(
        interfaces, [&](const Interface& interface) { return interface.name == name; });
    if (!taken) return name;
  }
}

/// Puts what the BMC says of a NIC beside what is known. What people wrote stays; a NIC without a
/// MAC is kept in the inventory alone, since nothing can find it.
void merge_nic(std::vector<Interface>& interfaces, const BmcNic& nic) {
  if (nic.mac.empty()) return;
  auto known = std::ranges::find(interfaces, nic.mac, &Interface::mac);
  if (known == interfaces.end()) {
    if (interfaces.size() >= cluster::kMaxInterfaces) return;
    Interface fresh;
    fresh.name = free_name(interfaces);
    fresh.mac = nic.mac;
    interfaces.push_back(std::move(fresh));
    known = std::prev(interfaces.end());
  }
  for (const std::string& address : nic.addresses) {
    const bool there = std::ranges::any_of(known->addresses, [&](const std::string& other) {
      return cluster::without_prefix(other) == address;
    });
    if (!there && known->addresses.size() < cluster::kMaxAddresses) {
      known->addresses.push_back(address);
    }
  }
}

std::optional<cluster::SmdState> state_of(cluster::BmcPowerState power) {
  switch (power) {
    case cluster::BmcPowerState::on:
    case cluster::BmcPowerState::powering_on:
      return cluster::SmdState::on;
    case cluster::BmcPowerState::off:
    case cluster::BmcPowerState::powering_off:
      return cluster::SmdState::off;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> arch_of(std::string_view processor) {
  const auto has = [&](std::string_view word) {
    return std::search(processor.begin(), processor.end(), word.begin(), word.end(),
                       [](char a, char b) { return std::tolower(a) == std::tolower(b); }) !=
           processor.end();
  };
  if (has("x86") || has("xeon") || has("epyc") || has("amd") || has("intel")) return "X86";
  if (has("arm") || has("aarch64") || has("grace") || has("altra")) return "ARM";
  return std::nullopt;
}

}  // namespace

std::vector<NamedComponent> components_of(const ManagedBmc& bmc) {
  std::vector<NamedComponent> out;
  const auto self = cluster::parse_xname(bmc.name);
  if (!bmc.inventory || !self || self->type != cluster::XnameType::node_bmc) return out;
  const auto places = cluster::system_places(bmc.inventory->systems);
  for (size_t i = 0; i < places.size(); ++i) {
    const BmcSystem& system = bmc.inventory->systems[i];
    auto xname = cluster::parse_xname(fmt::format("{}n{}", bmc.name, places[i]));
    if (!xname) continue;  // cannot be: a number behind a NodeBMC's name
    ComponentSays says;
    says.state = state_of(system.power);
    says.arch = arch_of(system.processor_model);
    out.push_back({*std::move(xname), std::make_shared<const ComponentSays>(std::move(says))});
  }
  return out;
}

Status EndpointStore::put_node(const ManagedBmc& bmc, const ComponentTarget& target,
                               const BmcSystem& system) {
  const auto complete = [&bmc, &system](cluster::NodeSpec& spec) {
    for (const BmcNic& nic : system.nics) merge_nic(spec.interfaces, nic);
    if (!spec.bmc && !bmc.address.empty()) {
      spec.bmc = cluster::Bmc{bmc.address, cluster::BmcProtocol::redfish, bmc.mac, bmc.user};
    }
  };
  // A report of a machine that is there is about its power; what people said of it stays.
  if (target.node.empty()) {
    ComponentTarget fresh = target;
    ComponentSays says = *target.says;
    if (!says.state) says.state = cluster::SmdState::unknown;
    says.flag = cluster::SmdFlag::ok;
    fresh.says = std::make_shared<const ComponentSays>(std::move(says));
    DROVER_CHECK_OK(components_.put(fresh, false, complete));
  }
  const std::string& name = target.node.empty() ? target.id.text : target.node;
  DROVER_TRY(const auto stored, cluster::read_stored_node(tx_, name));
  cluster::NodeSpec spec = stored->node.spec;
  complete(spec);
  if (!target.node.empty() && !spec.attributes.contains("arch") && target.says->arch) {
    spec.attributes["arch"] = *target.says->arch == "X86" ? "x86_64" : "aarch64";
  }
  if (spec == stored->node.spec) return {};
  DROVER_CHECK_OK(components_.writer().put_spec(name, std::move(spec)));
  return {};
}

Status EndpointStore::put(const EndpointTarget& target, Existing existing) {
  ManagedBmc bmc = target.says.bmc;
  DROVER_TRY(const auto there, tx_.get(cluster::kBmcKind, bmc.name));
  if (there && existing == Existing::refused) {
    return fail(Code::already_exists,
                fmt::format("operation would conflict with an existing resource that has the same "
                            "FQDN or xname ID: {}",
                            bmc.name));
  }
  if (target.says.has_inventory || !target.says.outlets.empty()) {
    bmc.look.attempted = from_unix_ms(tx_.time_ms());
    bmc.look.status = "DiscoverOK";
  }
  DROVER_CHECK_OK(cluster::put_bmc(tx_, bmc));
  if (!target.sealed.empty()) {
    DROVER_CHECK_OK(cluster::set_bmc_credential(
        tx_, {cluster::BmcScope::bmc, bmc.address, bmc.user, target.sealed, {}}));
  }
  if (target.says.has_inventory && bmc.inventory) {
    size_t node = 0;
    for (const ComponentTarget& each : target.nodes) {
      DROVER_CHECK_OK(put_node(bmc, each, bmc.inventory->systems[node++]));
    }
  }
  for (const cluster::Component& outlet : target.says.outlets) {
    DROVER_CHECK_OK(tx_.put(cluster::kComponentKind, outlet.xname, encode(outlet)));
  }
  return {};
}

Result<bool> EndpointStore::remove(const std::string& name) {
  DROVER_TRY(const auto object, tx_.get(cluster::kBmcKind, name));
  if (object) {
    DROVER_TRY(const auto bmc, decode_text<ManagedBmc>(object->body, Unknown::ignore));
    DROVER_CHECK_OK(
        tx_.erase_quiet(cluster::kBmcCredentialKind,
                        cluster::bmc_credential_key(cluster::BmcScope::bmc, bmc.address)));
  }
  return cluster::erase_bmc(tx_, name);
}

}  // namespace drover::api::smd
