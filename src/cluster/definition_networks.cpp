// Networks of the writer of definitions: no address belongs to two of them.
#include "cluster/definition_state.hpp"

#include <fmt/format.h>

namespace drover::cluster {

Result<Network> DefinitionWriter::network(const std::string& name) {
  DROVER_CHECK_OK(state_->load());
  const auto it = state_->networks.find(name);
  if (it != state_->networks.end()) return it->second;
  return fail(Code::not_found, fmt::format("there is no network '{}'", name),
              "drover network list shows all of them");
}

Status DefinitionWriter::check_network_apart(const Network& network) {
  for (const auto& [name, other] : state_->networks) {
    if (name != network.name) DROVER_CHECK_OK(check_apart(network, other));
  }
  return {};
}

Status DefinitionWriter::put_network(Network network) {
  DROVER_CHECK_OK(normalise(network));
  DROVER_CHECK_OK(state_->load());
  const auto before = state_->networks.find(network.name);
  if (before != state_->networks.end() && before->second == network) return {};
  if (mode_ == Mode::single) {
    DROVER_CHECK_OK(check_network_apart(network));
  } else {
    state_->touched_networks.insert(network.name);
  }
  DROVER_CHECK_OK(tx_.put(kNetworkKind, network.name, encode(network)));
  state_->networks[network.name] = std::move(network);
  return {};
}

Status DefinitionWriter::remove_network(const std::string& name) {
  DROVER_TRY(const Network gone, network(name));
  DROVER_CHECK_OK(tx_.erase(kNetworkKind, gone.name));
  state_->networks.erase(name);
  return {};
}

}  // namespace drover::cluster
