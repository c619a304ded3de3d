// From nodes to their BMCs: where they are, as whom they are spoken to, which machine is meant.
#pragma once

#include "auth/secret_box.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "cluster/hardware/bmc_access.hpp"
#include "cluster/model.hpp"
#include "hardware/ipmi/ipmi_tool.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::api {

class PowerSight;  // api/power_sight.hpp

/// What power operations stand on; references and pointers outlive them.
struct PowerServices {
  Executor& executor;
  Log log;
  store::Store& store;
  const cluster::Model& model;
  const auth::SecretBox* secrets;  ///< null where secrets cannot be kept: no BMC is let into then
  hardware::BmcGround& bmcs;
  hardware::IpmiTool* ipmi;     ///< null where IPMI is not spoken
  PowerSight* sight = nullptr;  ///< told what was seen; null where nobody keeps it
};

/// A node whose BMC is known.
struct PowerTarget {
  std::string node;
  std::string address;  ///< of the BMC, without port
  net::Endpoint at;
  cluster::BmcProtocol protocol = cluster::BmcProtocol::redfish;
  std::string system;               ///< id on the BMC; empty: the only one
  std::string user;                 ///< that the node demands; empty: any
  std::vector<std::string> groups;  ///< strongest first
  std::string of_node = {};         ///< where an address stands for the node: one that has this BMC
};

/// conflict for a node that has no BMC; the errors of its formulas.
Result<PowerTarget> power_target(const cluster::Model& model, const std::string& node);

/// What the store has for these targets.
struct BmcKeys {
  std::vector<cluster::BmcCredential> credentials;
  std::map<std::string, std::string> keys;  ///< by "ADDRESS:PORT"
};
Result<BmcKeys> read_bmc_keys(store::Transaction& tx, const std::vector<PowerTarget>& targets);

/// As whom the target's BMC is spoken to. unauthenticated when no password is kept for it.
struct BmcLogin {
  std::string user;
  std::string password;
};
Result<BmcLogin> bmc_login(const PowerServices& services, const PowerTarget& target,
                           const BmcKeys& keys);

/// How the target's BMC is reached by Redfish. By TLS always: with the key that was seen first
/// where one is known.
Result<hardware::BmcAccess> bmc_access(const PowerServices& services, const PowerTarget& target,
                                       const BmcKeys& keys);

}  // namespace drover::api
