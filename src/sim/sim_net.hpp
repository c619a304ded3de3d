// The simulated form of the Net seam for one process: everything goes through the shared Fabric.
#pragma once

#include "net/net.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_security.hpp"
#include "sim/world.hpp"

#include <memory>

namespace drover::sim {

/// Hosts are reached by their names (ProcessOptions::host) and by Fabric::add_address(); loopback
/// names mean the process's own host. Security comes from sim/sim_security.hpp texts.
class SimNet final : public net::Net {
 public:
  SimNet(Fabric& fabric, SimProcess& process);

  Result<std::shared_ptr<net::Security>> make_security(const net::SecurityConfig& config) override;
  Result<std::unique_ptr<net::Listener>> listen(const net::Endpoint& at,
                                                Callback<std::shared_ptr<net::Security>()> security,
                                                net::AcceptCallback accepted) override;
  std::unique_ptr<net::Connecting> connect(const net::Endpoint& to,
                                           std::shared_ptr<net::Security> security,
                                           Duration timeout,
                                           net::ConnectCallback connected) override;

 private:
  Fabric& fabric_;
  SimProcess& process_;
};

}  // namespace drover::sim
