// Socket calls behind values and Results.
#include "net/socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace drover::net {
namespace {

// Connections that wait for accept(). A reconnect storm of a whole cluster should wait here and not
// in SYN time-outs; the kernel caps it at net.core.somaxconn, 4096 by default since Linux 5.4.
constexpr int kBacklog = 4096;
// Unsent bytes that the kernel takes per connection before it says "full": enough to keep a fast
// link busy, small enough that control messages do not queue behind megabytes.
constexpr int kNotSentLowWater = 128 * 1024;

void set_flag(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

SocketAddress unix_address(const std::string& path) {
  SocketAddress address;
  auto& storage = reinterpret_cast<sockaddr_un&>(address.storage);
  storage.sun_family = AF_UNIX;
  std::memcpy(storage.sun_path, path.data(), std::min(path.size(), sizeof storage.sun_path - 1));
  address.size = sizeof storage;
  return address;
}

Result<std::vector<SocketAddress>> look_up(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (error != 0) {
    return fail(Code::unreachable,
                fmt::format("cannot resolve \"{}\": {}", endpoint.host,
                            error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.size = info->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

/// Whether somebody accepts on the Unix socket at `address`.
bool answers(const SocketAddress& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), address.get(), address.size) == 0) return true;
  return errno != ECONNREFUSED;  // EAGAIN: its backlog is full, so somebody owns it
}

Status bind_unix(int fd, const SocketAddress& address, uint32_t mode) {
  const char* path = reinterpret_cast<const sockaddr_un&>(address.storage).sun_path;
  // The file is born with the descriptor's mode, so it is never more open than asked for; the umask
  // may have narrowed it, which chmod mends.
  ::fchmod(fd, mode);
  int error = ::bind(fd, address.get(), address.size) == 0 ? 0 : errno;
  if (error == EADDRINUSE) {
    struct stat info{};
    if (::lstat(path, &info) == 0 && !S_ISSOCK(info.st_mode)) {
      return fail(Code::already_exists, fmt::format("{} exists and is not a socket", path));
    }
    if (answers(address)) {
      return fail(Code::already_exists, fmt::format("another process answers on {}", path),
                  "stop the other daemon or give this one another path");
    }
    ::unlink(path);
    error = ::bind(fd, address.get(), address.size) == 0 ? 0 : errno;
  }
  if (error != 0) return tl::unexpected(errno_error("binding", error));
  if (::chmod(path, mode) != 0) return tl::unexpected(errno_error("setting the mode", errno));
  return {};
}

Status bind_inet(int fd, const SocketAddress& address) {
  set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // Two listeners, one per family, rather than IPv4 in IPv6 clothes: peers' addresses stay
  // readable.
  if (address.family() == AF_INET6) set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd, address.get(), address.size) == 0) return {};
  const int error = errno;
  if (error == EADDRINUSE) {
    return fail(Code::already_exists, "the port is taken by another process",
                "find it with: ss -ltnp");
  }
  return tl::unexpected(errno_error("binding", error));
}

}  // namespace

Endpoint SocketAddress::endpoint() const {
  Endpoint endpoint;
  std::array<char, NI_MAXHOST> host{};
  if (getnameinfo(get(), size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
    endpoint.host = host.data();
  }
  if (family() == AF_INET)
    endpoint.port = ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  if (family() == AF_INET6) {
    endpoint.port = ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  }
  return endpoint;
}

std::string SocketAddress::text() const {
  return family() == AF_UNIX ? "unix" : endpoint().text();
}

std::vector<SocketAddress> numeric_address(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return {unix_address(endpoint.unix_path)};
  return look_up(endpoint, AI_NUMERICHOST).value_or(std::vector<SocketAddress>{});
}

Result<std::vector<SocketAddress>> resolve(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return std::vector{unix_address(endpoint.unix_path)};
  return look_up(endpoint, 0);
}

Result<UniqueFd> open_socket(const SocketAddress& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE) {
      return fail(Code::exhausted, "too many open files", "raise the open-file limit (ulimit -n)");
    }
    return tl::unexpected(errno_error("making a socket", error));
  }
  return fd;
}

Result<UniqueFd> open_listener(const SocketAddress& address, uint32_t unix_mode) {
  DROVER_TRY(UniqueFd fd, open_socket(address));
  if (address.family() == AF_UNIX) {
    DROVER_CHECK_OK(bind_unix(fd.get(), address, unix_mode));
  } else {
    DROVER_CHECK_OK(bind_inet(fd.get(), address));
  }
  if (::listen(fd.get(), kBacklog) != 0) return tl::unexpected(errno_error("listening", errno));
  return fd;
}

void tune_tcp(int fd) {
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_flag(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kNotSentLowWater);
}

Status leave_from(int fd, const SocketAddress& own) {
  // The port is chosen by connect(), which knows the peer: the same one serves for many peers.
  set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (::bind(fd, own.get(), own.size) == 0) return {};
  Error error = errno_error({}, errno);
  error.message = fmt::format("leaving from {}: {}", own.endpoint().host, error.message);
  return tl::unexpected(std::move(error));
}

SocketAddress local_address(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  ::getsockname(fd, address.get(), &address.size);
  return address;
}

std::optional<LocalCaller> peer_credentials(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return LocalCaller{credentials.uid, credentials.gid, credentials.pid};
}

}  // namespace drover::net
