// Redfish endpoints put into the one model inside a store mutation: the BMC with what was found
// behind it, a node for each computer, and the interfaces of these.
#pragma once

#include "api/smd/component_store.hpp"
#include "api/smd/endpoint_input.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <string>
#include <vector>

namespace drover::api::smd {

/// An endpoint to be written, with what was known when the request came.
struct EndpointTarget {
  EndpointSays says;
  /// The password, sealed as that of the BMC's address (cluster::bmc_credential_key): power and
  /// discovery get in with it. Empty: none was sent.
  std::string sealed;
  std::vector<ComponentTarget> nodes;  ///< one for each system, in order
};

/// What becomes of an endpoint that is there already.
enum class Existing : uint8_t { refused, replaced };

/// One mutation's endpoints. finish() comes last.
class EndpointStore {
 public:
  explicit EndpointStore(store::Transaction& tx) : tx_(tx), components_(tx) {}
  Status put(const EndpointTarget& target, Existing existing);
  /// Whether there was one. Nodes behind it stay: they are machines of their own.
  Result<bool> remove(const std::string& name);
  Status finish() { return components_.finish(); }

 private:
  Status put_node(const cluster::ManagedBmc& bmc, const ComponentTarget& target,
                  const cluster::BmcSystem& system);

  store::Transaction& tx_;
  ComponentStore components_;
};

/// The nodes that systems of a node's BMC are, to be changed or made, one for each in order.
std::vector<NamedComponent> components_of(const cluster::ManagedBmc& bmc);

}  // namespace drover::api::smd
