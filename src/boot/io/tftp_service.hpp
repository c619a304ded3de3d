// TFTP on the wire: requests on port 69, transfers from two sockets that all clients share.
//
// Why not a socket for each transfer, as RFC 1350's transfer identifiers suggest: a client's own
// address and port tell its transfer as well, and shared sockets take acknowledgements and send
// data of all clients in batches, cost no descriptors (10,000 machines that boot at once are more
// than a process may have) and no system calls to begin or end a transfer. There are two, taken in
// turn, so that a late packet of a client's last transfer does not meet its next one, which may
// come from the same port; with more the batches get smaller, which was measured.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/io/rate_limit.hpp"
#include "boot/tftp/transfer.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::boot::io {

struct TftpServiceConfig {
  tftp::Limits limits;
  std::vector<std::string> interfaces;  ///< to take requests from, by name; empty: all
  uint16_t port = 69;
  bool v6 = true;  ///< serve IPv6 as well, where the host has it
  /// Transfers at once, together and of one address. Requests beyond are not answered: clients ask
  /// again, which is the queue.
  size_t most_transfers = 16384;
  size_t most_per_client = 16;
  RateLimit requests{20, 100};  ///< of one address
};

/// What happened to a transfer. Views live only for the call.
struct TftpEvent {
  enum class Kind : uint8_t { started, ended, refused };
  Kind kind = Kind::started;
  net::InetAddress client;
  std::string_view path;  ///< as far as it was read
  tftp::Progress progress = tftp::Progress::running;
  std::optional<tftp::Refusal> refusal;
  std::string_view message;  ///< of a client that gave up
  uint64_t bytes = 0;        ///< acknowledged
  uint64_t size = 0;
  uint64_t resent = 0;  ///< packets
  Duration took{};
};

struct TftpStats {
  uint64_t started = 0;
  uint64_t complete = 0;
  uint64_t failed = 0;   ///< ended neither complete nor as a mere probe of the size
  uint64_t refused = 0;  ///< told an error
  uint64_t limited = 0;  ///< requests not answered because of a limit
  uint64_t strays = 0;   ///< packets that belong to no transfer
  uint64_t bytes = 0;    ///< acknowledged
};

/// Serves read requests out of `files`. One executor's thread.
class TftpService {
 public:
  TftpService(Executor& executor, net::Net& net, Log log, TftpServiceConfig config,
              const tftp::Files& files);
  TftpService(const TftpService&) = delete;
  TftpService& operator=(const TftpService&) = delete;
  ~TftpService();

  /// Opens the sockets. Fails when the port is taken or may not be bound.
  Status start();
  /// Closes them; transfers under way end without a word.
  void stop();
  /// Other limits hold for new transfers; other ports and interfaces end what is under way.
  Status reconfigure(TftpServiceConfig config);
  void on_event(Callback<void(const TftpEvent&)> callback) { on_event_ = std::move(callback); }

  /// A transfer under way, for live views.
  struct Running {
    net::InetAddress client;
    std::string path;
    uint64_t bytes = 0;
    uint64_t size = 0;
  };
  [[nodiscard]] std::vector<Running> running() const;
  [[nodiscard]] const TftpStats& stats() const { return stats_; }
  /// The bound addresses of the request ports.
  [[nodiscard]] std::vector<net::InetAddress> bound() const;

 private:
  class RequestPort;
  class TransferPort;
  struct Entry;
  struct Hash {
    size_t operator()(const net::InetAddress& address) const;
  };

  Status open_family(bool v6);
  Status open_request_port(bool v6, const std::string& interface);
  void take_request(RequestPort& port, const net::Datagram& datagram);
  [[nodiscard]] bool is_over_limit(const net::InetAddress& client);
  TransferPort& next_port(bool v6);
  void begin(const net::Datagram& datagram, tftp::Opening opening);
  void finish(Entry& entry);
  void tell(const Entry& entry, TftpEvent::Kind kind);
  void tick();

  Executor& executor_;
  net::Net& net_;
  Log log_;
  TftpServiceConfig config_;
  const tftp::Files& files_;
  Callback<void(const TftpEvent&)> on_event_;
  std::vector<std::unique_ptr<RequestPort>> request_ports_;
  std::vector<std::unique_ptr<TransferPort>> transfer_ports_;
  size_t next_port_ = 0;
  std::unordered_map<net::InetAddress, std::unique_ptr<Entry>, Hash> transfers_;
  std::unordered_map<net::InetAddress, size_t, Hash> per_client_;
  RateLimiter limiter_;
  Timer timer_;
  bool running_ = false;
  TftpStats stats_;
};

}  // namespace drover::boot::io
