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
  /// Datagrams go between hosts that DatagramHub::attach() put on links.
  Result<std::unique_ptr<net::DatagramSocket>> open_datagrams(
      const net::DatagramOptions& options, net::DatagramHandler& handler) override;
  Result<std::vector<net::NetInterface>> interfaces() override;
  Result<std::unique_ptr<net::AddressProbe>> probe_address(uint32_t interface,
                                                           const net::InetAddress& address,
                                                           Duration wait,
                                                           net::ProbeCallback answered) override;

 private:
  Fabric& fabric_;
  SimProcess& process_;
};

}  // namespace drover::sim
