// The Net seam: listeners, connections and byte streams, with peer identity proven by the
// transport. Real form: net/real_net (TCP, TLS 1.3, Unix sockets on net/loop). Simulated form:
// sim/sim_net.
#pragma once

#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::net {

// Datagrams: net/datagram.hpp.
struct InetAddress;
struct NetInterface;
struct DatagramOptions;
class DatagramHandler;
class DatagramSocket;
class AddressProbe;
using MacAddress = std::array<uint8_t, 6>;
using ProbeCallback = Callback<void(std::optional<MacAddress>)>;

/// Where to listen or connect: "host:port", "[v6]:port" or "unix:/path". Port 0 listens on any.
struct Endpoint {
  std::string host;  ///< IPv4, IPv6 or a name; empty for a Unix socket
  uint16_t port = 0;
  std::string unix_path;  ///< set for a Unix socket

  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

/// Who the kernel says is behind a Unix socket (SO_PEERCRED).
struct LocalCaller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  int32_t pid = 0;
};

/// What the transport has proven about the other end. A plain TCP peer has neither.
struct Peer {
  std::string address;          ///< for people and logs: "127.0.0.1:4711", "unix"
  std::string certificate_uri;  ///< URI SAN of a verified certificate; empty without one
  /// SHA-256 of that certificate's public key (SubjectPublicKeyInfo), 64 hex digits.
  std::string certificate_key_sha256 = {};
  std::optional<WallTime> certificate_expiry;
  std::optional<LocalCaller> local;  ///< Unix sockets
};

/// Receives a stream's events, always on the executor's thread and never inside a call into the
/// stream.
class StreamHandler {
 public:
  StreamHandler() = default;
  StreamHandler(const StreamHandler&) = delete;
  StreamHandler& operator=(const StreamHandler&) = delete;
  virtual ~StreamHandler() = default;
  /// Bytes arrived. `bytes` lives only for this call. The handler may destroy the stream in here.
  virtual void on_data(std::string_view bytes) = 0;
  /// The unsent bytes fell to zero after they had been more.
  virtual void on_drained() {}
  /// The stream ended; the last event. An orderly end has code `cancelled`, message "closed by
  /// peer".
  virtual void on_closed(const Error& why) = 0;
};

/// A connected, verified, ordered byte stream. Destroying it closes at once (unsent bytes may be
/// lost) and no event follows. One executor's thread only.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Events go to `handler` from now on; it must outlive the stream or be replaced. Reading starts
  /// with the first handler.
  virtual void set_handler(StreamHandler* handler) = 0;
  /// Queues all of `bytes`; never blocks, never fails here (failure shows as on_closed). Copies.
  virtual void write(std::string_view bytes) = 0;
  /// Bytes queued and not yet taken by the operating system.
  [[nodiscard]] virtual size_t unsent() const = 0;
  /// Sends what is queued, then an orderly end; on_closed follows. Nothing may be written after.
  /// A stream that is destroyed after this call loses only what the system did not take at once.
  virtual void close() = 0;
  /// Stops and starts on_data, to push back on a fast peer.
  virtual void pause_reading(bool paused) = 0;
  [[nodiscard]] virtual const Peer& peer() const = 0;
};

/// Keys and trust for TLS; opaque, made by Net::make_security, shared by listeners and connections.
class Security {
 public:
  Security() = default;
  Security(const Security&) = delete;
  Security& operator=(const Security&) = delete;
  virtual ~Security() = default;
};

/// What Security is made of. PEM texts; TLS 1.3 only, unless said otherwise.
struct SecurityConfig {
  std::string certificate_pem;  ///< own chain; empty for a client without an identity
  std::string key_pem;
  std::string trust_pem;  ///< CA certificates that peers must chain to
  bool verify_peer =
      true;  ///< listeners: demand and verify a client certificate when true,
             ///< accept one-sided TLS (certificate optional, verified if given) when false
  std::string pinned_ca_sha256;  ///< clients without trust_pem: accept a chain whose root has this
                                 ///< hex digest
  /// Clients: the host name or IP address that the server's certificate must be for (RFC 6125),
  /// sent as SNI too. Empty: any; Drover's own peers prove themselves by their URI.
  std::string peer_name = {};
  /// TLS 1.2 as well, with forward secrecy or at least AEAD ciphers, and the weaker keys that go
  /// with it: for BMCs, many of which speak nothing newer. Never between Drover's own programs.
  bool allow_tls12 = false;
  /// Clients: take any certificate, whoever signed it and whenever it ends. The peer has then
  /// proven no more than that it has the key of Peer::certificate_key_sha256, and has no URI; the
  /// caller compares that key before it says anything secret.
  bool any_certificate = false;
};

/// Stops listening when destroyed.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;
  /// The bound endpoint, with the port that was chosen.
  [[nodiscard]] virtual Endpoint endpoint() const = 0;
};

/// A connection being made; destroying it before its callback ran cancels it.
class Connecting {
 public:
  Connecting() = default;
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;
  virtual ~Connecting() = default;
};

/// A failed accept names the peer's address and why (TLS alert, certificate error, time-out).
struct AcceptFailure {
  std::string peer_address;
  Error error;
};
using AcceptCallback = Callback<void(tl::expected<std::unique_ptr<Stream>, AcceptFailure>)>;
using ConnectCallback = Callback<void(Result<std::unique_ptr<Stream>>)>;

/// The network as a daemon sees it. One executor's thread only; outlives all it made.
class Net {
 public:
  Net() = default;
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;
  virtual ~Net() = default;

  virtual Result<std::shared_ptr<Security>> make_security(const SecurityConfig& config) = 0;
  /// Accepts streams, each delivered after its handshake (10 s at most). Without `security`: plain.
  /// `accepted` is called for failures too; it may be called many times. A Security swapped in by
  /// the getter is used from the next connection on, so certificates rotate without a restart.
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at,
                                                   Callback<std::shared_ptr<Security>()> security,
                                                   AcceptCallback accepted) = 0;
  /// Connects and, with `security`, completes the TLS handshake, all within `timeout`. `connected`
  /// is called exactly once unless the Connecting is destroyed first.
  virtual std::unique_ptr<Connecting> connect(const Endpoint& to,
                                              std::shared_ptr<Security> security, Duration timeout,
                                              ConnectCallback connected) = 0;

  // Datagrams and what belongs to them; `unsupported` over a Net that has streams alone.

  /// Opens a socket; `handler` must outlive it. already_exists when the port is taken.
  virtual Result<std::unique_ptr<DatagramSocket>> open_datagrams(const DatagramOptions& options,
                                                                 DatagramHandler& handler);
  /// This host's interfaces now, by index.
  virtual Result<std::vector<NetInterface>> interfaces();
  /// Asks on an Ethernet link, by ARP from no address (RFC 5227 section 2.1.1), whether somebody
  /// uses an IPv4 address. `answered` is called once, never in here, at the first answer or after
  /// `wait`. Fails where the question cannot be asked: it takes CAP_NET_RAW and Ethernet.
  virtual Result<std::unique_ptr<AddressProbe>> probe_address(uint32_t interface,
                                                              const InetAddress& address,
                                                              Duration wait,
                                                              ProbeCallback answered);
};

}  // namespace drover::net
