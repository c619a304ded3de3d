#include "api/power_targets.hpp"

#include "cluster/attributes.hpp"
#include "cluster/group.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint16_t kHttps = 443;

Result<uint16_t> port_of(cluster::NodeAttributes& attributes, uint16_t standard) {
  DROVER_TRY(const auto text, attributes.value("bmc_port"));
  if (!text) return standard;
  uint16_t port = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), port);
  if (read.ec == std::errc{} && port != 0) return port;
  return fail(Code::invalid_argument, fmt::format("bmc_port: '{}' is no port", *text));
}

}  // namespace

Result<PowerTarget> power_target(const cluster::Model& model, const std::string& name) {
  const auto* entry = model.find(name);
  if (entry == nullptr) return fail(Code::not_found, "the node is not there any more");
  const cluster::Node& node = entry->node();
  if (!node.spec.bmc) {
    return fail(Code::conflict, "it has no BMC",
                fmt::format("drover node set {} bmc.address=ADDRESS", name));
  }
  const cluster::ModelDefinitions definitions(model);
  cluster::NodeAttributes attributes(node, definitions);
  DROVER_TRY(const cluster::Bmc bmc, evaluate_bmc(attributes, *node.spec.bmc));
  if (bmc.address.empty()) {
    return fail(Code::conflict, "the address of its BMC is not known",
                fmt::format("drover node set {} bmc.address=ADDRESS", name));
  }
  PowerTarget target;
  target.node = name;
  target.address = bmc.address;
  target.protocol = bmc.protocol;
  const bool redfish = bmc.protocol == cluster::BmcProtocol::redfish;
  DROVER_TRY(const uint16_t port, port_of(attributes, redfish ? kHttps : hardware::kIpmiPort));
  target.at = net::Endpoint{bmc.address, port, ""};
  DROVER_TRY(auto system, attributes.value("bmc_system"));
  target.system = std::move(system).value_or("");
  target.user = bmc.user;
  for (const cluster::Group* group : definitions.groups_of(node)) {
    target.groups.push_back(group->name);
  }
  return target;
}

Result<BmcKeys> read_bmc_keys(store::Transaction& tx, const std::vector<PowerTarget>& targets) {
  BmcKeys keys;
  DROVER_TRY(keys.credentials, cluster::bmc_credentials(tx));
  for (const PowerTarget& target : targets) {
    const std::string at = target.at.text();
    if (keys.keys.contains(at)) continue;
    DROVER_TRY(keys.keys[at], cluster::known_bmc_key(tx, at));
  }
  return keys;
}

Result<BmcLogin> bmc_login(const PowerServices& services, const PowerTarget& target,
                           const BmcKeys& keys) {
  if (services.secrets == nullptr) {
    return fail(Code::unsupported, "this master keeps no secrets, so it cannot get into BMCs");
  }
  const auto* credential =
      cluster::choose_bmc_credential(keys.credentials, target.address, target.groups, target.user);
  if (credential == nullptr) {
    return fail(Code::unauthenticated,
                fmt::format("no password is kept for the BMC at {}{}{}", target.address,
                            target.user.empty() ? "" : " and the user ", target.user),
                "drover power credential default --user USER --password-file FILE");
  }
  BmcLogin login;
  login.user = credential->user;
  DROVER_TRY(login.password,
             services.secrets->open(credential->sealed, cluster::bmc_credential_key(
                                                            credential->scope, credential->name)));
  return login;
}

Result<hardware::BmcAccess> bmc_access(const PowerServices& services, const PowerTarget& target,
                                       const BmcKeys& keys) {
  DROVER_TRY(BmcLogin login, bmc_login(services, target, keys));
  hardware::BmcAccess access;
  access.at = target.at;
  access.user = std::move(login.user);
  access.password = std::move(login.password);
  const auto known = keys.keys.find(target.at.text());
  if (known != keys.keys.end()) access.pinned_key = known->second;
  net::SecurityConfig config;
  config.any_certificate = true;  // BMCs sign their own: their key is compared instead
  config.allow_tls12 = true;
  DROVER_TRY(access.security, services.bmcs.net().make_security(config));
  return access;
}

}  // namespace drover::api
