// One connection being made in the simulated network: TCP's three ways, then TLS 1.3's, each
// message under its path's delays and faults, each step run by the process that has to run it.
#pragma once

#include "net/net.hpp"
#include "sim/connection.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_security.hpp"

#include <memory>
#include <string>

namespace drover::sim {

class Handshake : public std::enable_shared_from_this<Handshake> {
 public:
  Handshake(Fabric& fabric, SimProcess& client, net::Endpoint to,
            const std::shared_ptr<net::Security>& security, net::ConnectCallback connected);

  void start(Duration timeout);
  /// The Connecting was destroyed: no callback any more.
  void cancel();
  void process_died(SimProcess& process);

 private:
  using StepFunction = void (Handshake::*)();
  /// Runs `step` after one message's travel from one side to the other: in the kernel, or as an
  /// event of the receiving process. A blocked path is tried again like a retransmission.
  void hop(Side from, bool in_process, StepFunction step, int tries = 0);
  void give_up();
  void run_in(Side side, StepFunction step);

  void syn();
  void refused();
  void established();
  void accept_plain();
  void wait_for_client_hello();
  void client_hello();
  void not_tls();
  void server_flight();
  void client_finished();
  void client_refuses();
  void server_lost();

  void client_done(Result<std::unique_ptr<net::Stream>> result);
  void server_done(Error failure, std::string_view alert = {});
  void deliver_accepted();
  void server_timed_out();
  void settle();
  [[nodiscard]] std::string doing() const;

  Fabric& fabric_;
  World& world_;
  SimProcess* client_;
  std::string client_host_;
  SimProcess* server_ = nullptr;
  std::string server_host_;
  net::Endpoint to_;
  std::string client_address_;
  std::shared_ptr<SimSecurity> client_security_;
  std::shared_ptr<SimSecurity> server_security_;
  net::ConnectCallback connected_;
  std::weak_ptr<ListenerState> listener_;
  std::shared_ptr<Connection> connection_;
  bool client_settled_ = false;
  bool server_settled_ = true;  ///< until a listener has taken it up
  std::string client_fault_;
};

}  // namespace drover::sim
