// Sockets: addresses, options and the making of listening and connecting ones.
#pragma once

#include "net/fd.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace drover::net {

/// An address of any family as the kernel takes it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
  /// "127.0.0.1:80", "[::1]:80" or "unix".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Endpoint endpoint() const;
};

/// The address of `endpoint` when its host is a number or it is a Unix socket; none for a name.
std::vector<SocketAddress> numeric_address(const Endpoint& endpoint);
/// All addresses of `endpoint`, in the resolver's order. Blocks; may run on a worker.
Result<std::vector<SocketAddress>> resolve(const Endpoint& endpoint);

/// A bound and listening socket. A stale Unix socket file, behind which nobody answers, is
/// replaced.
Result<UniqueFd> open_listener(const SocketAddress& address, uint32_t unix_mode);
/// A new non-blocking socket fit for `address`.
Result<UniqueFd> open_socket(const SocketAddress& address);
/// What every connected TCP socket gets.
void tune_tcp(int fd);
/// Has a socket that is to be connected leave from `own`, at any port.
Status leave_from(int fd, const SocketAddress& own);
SocketAddress local_address(int fd);
/// SO_PEERCRED of a Unix socket.
std::optional<LocalCaller> peer_credentials(int fd);

}  // namespace drover::net
