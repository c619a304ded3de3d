#include "sim/sim_net.hpp"

#include "sim/handshake.hpp"

namespace drover::sim {
namespace {

class SimListener final : public net::Listener {
 public:
  explicit SimListener(std::shared_ptr<ListenerState> state) : state_(std::move(state)) {}
  [[nodiscard]] net::Endpoint endpoint() const override { return state_->endpoint; }

 private:
  std::shared_ptr<ListenerState> state_;
};

class SimConnecting final : public net::Connecting {
 public:
  explicit SimConnecting(std::weak_ptr<Handshake> handshake) : handshake_(std::move(handshake)) {}
  ~SimConnecting() override {
    if (const auto handshake = handshake_.lock()) handshake->cancel();
  }

 private:
  std::weak_ptr<Handshake> handshake_;
};

}  // namespace

SimNet::SimNet(Fabric& fabric, SimProcess& process) : fabric_(fabric), process_(process) {
  fabric.add_host(process.host());
  process.on_kill([&fabric, &process] { fabric.process_died(process); });
}

Result<std::shared_ptr<net::Security>> SimNet::make_security(const net::SecurityConfig& config) {
  return SimSecurity::make(config);
}

Result<std::unique_ptr<net::Listener>> SimNet::listen(
    const net::Endpoint& at, Callback<std::shared_ptr<net::Security>()> security,
    net::AcceptCallback accepted) {
  DROVER_TRY(auto state, fabric_.add_listener(process_, at));
  state->security = std::move(security);
  state->accepted = std::move(accepted);
  return std::make_unique<SimListener>(std::move(state));
}

std::unique_ptr<net::Connecting> SimNet::connect(const net::Endpoint& to,
                                                 std::shared_ptr<net::Security> security,
                                                 Duration timeout, net::ConnectCallback connected) {
  auto handshake =
      std::make_shared<Handshake>(fabric_, process_, to, security, std::move(connected));
  fabric_.add_handshake(handshake);
  handshake->start(timeout);
  return std::make_unique<SimConnecting>(handshake);
}

Result<std::unique_ptr<net::DatagramSocket>> SimNet::open_datagrams(
    const net::DatagramOptions& options, net::DatagramHandler& handler) {
  return fabric_.datagrams().open(process_, options, handler);
}

Result<std::vector<net::NetInterface>> SimNet::interfaces() {
  return fabric_.datagrams().interfaces(process_.host());
}

Result<std::unique_ptr<net::AddressProbe>> SimNet::probe_address(uint32_t interface,
                                                                 const net::InetAddress& address,
                                                                 Duration wait,
                                                                 net::ProbeCallback answered) {
  return fabric_.datagrams().probe(process_, interface, address, wait, std::move(answered));
}

}  // namespace drover::sim
