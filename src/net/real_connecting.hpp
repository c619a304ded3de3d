// RealConnecting: one connection being made: resolve, connect, handshake, hand over.
#pragma once

#include "net/real_net.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"

#include <memory>
#include <string>
#include <vector>

namespace drover::net {

class RealConnecting final : public Connecting, private FdHandler {
 public:
  RealConnecting(RealNet& net, const Endpoint& to, std::shared_ptr<Security> security,
                 Duration timeout, ConnectCallback connected);
  ~RealConnecting() override;

 private:
  void on_fd(uint32_t events) override;
  void look_up();
  void use(std::vector<SocketAddress> addresses);
  void try_next();
  void begin(const SocketAddress& address);
  void on_connected();
  void handshake();
  void try_failed(Error error);
  // The user's callback may destroy this: nothing of it is touched after these.
  void succeed();
  void give_up(Error error);

  RealNet& net_;
  Endpoint to_;
  std::shared_ptr<TlsSecurity> security_;
  ConnectCallback connected_;
  InetAddress own_;  ///< that it leaves from; none: any
  MonoTime deadline_;
  std::vector<SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::string stage_ = "connecting";
  Error last_error_;
  UniqueFd fd_;
  std::unique_ptr<Transport> transport_;
  Loop::Watch watch_;
  Timer limit_;
  Timer retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::net
