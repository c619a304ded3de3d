// The real Net: TCP, TLS 1.3 and Unix sockets on a Loop.
#pragma once

#include "net/datagram.hpp"
#include "net/loop.hpp"
#include "net/net.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace drover::net {

class RealStream;
struct DatagramSpace;
/// Its deleter, so that only real_datagram.cpp needs to know what it is.
struct DatagramSpaceDelete {
  void operator()(DatagramSpace* space) const;
};
using DatagramSpacePtr = std::unique_ptr<DatagramSpace, DatagramSpaceDelete>;

struct RealNetOptions {
  /// Permissions of the socket files that listen() makes.
  uint32_t unix_mode = 0666;
  /// Time for a TLS handshake of an accepted connection.
  Duration handshake_limit = std::chrono::seconds(10);
};

/// Net over the operating system. Lives on the loop's thread; the loop outlives it, and it outlives
/// every listener, connection and stream that it made.
///
/// Writes are gathered: what is written to a stream within one turn of the loop leaves in one
/// system call (and one TLS record) at the turn's end.
class RealNet final : public Net, private TurnEnd {
 public:
  explicit RealNet(Loop& loop, RealNetOptions options = {});
  ~RealNet() override;

  Result<std::shared_ptr<Security>> make_security(const SecurityConfig& config) override;
  /// A host name is resolved on the spot (it may block): give numbers where that matters.
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at,
                                           Callback<std::shared_ptr<Security>()> security,
                                           AcceptCallback accepted) override;
  /// Names are resolved on a worker; each of a name's addresses is tried in turn.
  std::unique_ptr<Connecting> connect(const Endpoint& to, std::shared_ptr<Security> security,
                                      Duration timeout, ConnectCallback connected) override;
  Result<std::unique_ptr<DatagramSocket>> open_datagrams(const DatagramOptions& options,
                                                         DatagramHandler& handler) override;
  Result<std::vector<NetInterface>> interfaces() override;
  Result<std::unique_ptr<AddressProbe>> probe_address(uint32_t interface,
                                                      const InetAddress& address, Duration wait,
                                                      ProbeCallback answered) override;

  /// Connections that are asked for from now on leave from this address of the host, at any port;
  /// `none`: from the one that the route says.
  void connect_from(const InetAddress& own) { own_ = own; }

  /// For the other files of net.
  [[nodiscard]] const InetAddress& own_address() const { return own_; }
  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] const RealNetOptions& options() const { return options_; }
  /// Runs name look-ups; made on first use.
  Worker& resolver();
  using ReadBuffer = std::array<char, size_t{64} * 1024>;
  /// Bytes are read here before they are handed on, so that no stream needs a buffer of its own.
  ReadBuffer& read_buffer() { return *read_buffer_; }
  /// Memory for a batch of datagrams that is being received, or sent; all sockets share it.
  DatagramSpace& receive_space();
  DatagramSpace& send_space();
  /// Puts `stream` on the list of those that are looked after at the end of this turn; its place.
  size_t attend_later(RealStream& stream);
  void forget(size_t place) { attend_[place] = nullptr; }
  /// Storage for a stream's unsent bytes, kept from one flush to the next.
  std::string take_spare();
  void give_spare(std::string spare);

 private:
  bool on_turn_end() override;

  Loop& loop_;
  RealNetOptions options_;
  InetAddress own_;
  std::unique_ptr<ReadBuffer> read_buffer_;
  std::vector<RealStream*> attend_;  ///< null where the stream is gone
  std::vector<std::string> spares_;
  std::unique_ptr<Worker> resolver_;
  DatagramSpacePtr receive_space_;
  DatagramSpacePtr send_space_;
};

}  // namespace drover::net
