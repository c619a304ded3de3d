// RealNet: the list of streams to attend at the end of a turn, shared storage, and the makers.
#include "net/real_net.hpp"

#include "net/real_connecting.hpp"
#include "net/real_datagram.hpp"
#include "net/real_listener.hpp"
#include "net/real_probe.hpp"
#include "net/real_stream.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"

namespace drover::net {
namespace {
constexpr size_t kSpares = 64;  // about as many streams as write between two flushes
constexpr size_t kSpareLimit = size_t{64} * 1024;  // larger storage goes back to the heap
}  // namespace

RealNet::RealNet(Loop& loop, RealNetOptions options)
    : loop_(loop), options_(options), read_buffer_(std::make_unique<ReadBuffer>()) {
  loop_.add_turn_end(*this);
}

RealNet::~RealNet() {
  loop_.remove_turn_end(*this);
}

Result<std::shared_ptr<Security>> RealNet::make_security(const SecurityConfig& config) {
  return TlsSecurity::make(config);
}

Result<std::unique_ptr<Listener>> RealNet::listen(const Endpoint& at,
                                                  Callback<std::shared_ptr<Security>()> security,
                                                  AcceptCallback accepted) {
  auto listener = RealListener::make(*this, at, std::move(security), std::move(accepted));
  if (!listener) return fail_in("listening on " + at.text(), std::move(listener).error());
  return std::unique_ptr<Listener>(*std::move(listener));
}

std::unique_ptr<Connecting> RealNet::connect(const Endpoint& to, std::shared_ptr<Security> security,
                                             Duration timeout, ConnectCallback connected) {
  return std::make_unique<RealConnecting>(*this, to, std::move(security), timeout,
                                          std::move(connected));
}

Result<std::unique_ptr<DatagramSocket>> RealNet::open_datagrams(const DatagramOptions& options,
                                                                DatagramHandler& handler) {
  DROVER_TRY(auto socket, RealDatagramSocket::open(*this, options, handler));
  return std::unique_ptr<DatagramSocket>(std::move(socket));
}

Result<std::vector<NetInterface>> RealNet::interfaces() {
  return real_interfaces();
}

Result<std::unique_ptr<AddressProbe>> RealNet::probe_address(uint32_t interface,
                                                             const InetAddress& address,
                                                             Duration wait,
                                                             ProbeCallback answered) {
  DROVER_TRY(auto probe,
             RealAddressProbe::make(loop_, interface, address, wait, std::move(answered)));
  return std::unique_ptr<AddressProbe>(std::move(probe));
}

DatagramSpace& RealNet::receive_space() {
  if (!receive_space_) receive_space_ = make_datagram_space();
  return *receive_space_;
}

DatagramSpace& RealNet::send_space() {
  if (!send_space_) send_space_ = make_datagram_space();
  return *send_space_;
}

Worker& RealNet::resolver() {
  if (!resolver_) resolver_ = loop_.make_worker("resolver");
  return *resolver_;
}

size_t RealNet::attend_later(RealStream& stream) {
  attend_.push_back(&stream);
  return attend_.size() - 1;
}

bool RealNet::on_turn_end() {
  // Streams that ask again while being attended wait for the next turn, so that none can keep the
  // loop for itself.
  const size_t count = attend_.size();
  for (size_t i = 0; i < count; ++i) {
    if (attend_[i] != nullptr) attend_[i]->attend();
  }
  size_t kept = 0;
  for (size_t i = count; i < attend_.size(); ++i) {
    if (attend_[i] == nullptr) continue;
    attend_[i]->set_place(kept);
    attend_[kept++] = attend_[i];
  }
  attend_.resize(kept);
  return kept > 0;
}

std::string RealNet::take_spare() {
  if (spares_.empty()) return {};
  std::string spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

void RealNet::give_spare(std::string spare) {
  if (spares_.size() >= kSpares || spare.capacity() > kSpareLimit) return;
  spare.clear();
  spares_.push_back(std::move(spare));
}

}  // namespace drover::net
