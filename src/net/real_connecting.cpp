// RealConnecting: the steps of a connection, each address of a name in turn, within one deadline.
#include "net/real_connecting.hpp"

#include "net/real_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace drover::net {
namespace {
// A Unix socket whose backlog is full says "again" and nothing tells when: look again after this.
constexpr Duration kUnixRetry = std::chrono::milliseconds(10);
}  // namespace

RealConnecting::RealConnecting(RealNet& net, const Endpoint& to, std::shared_ptr<Security> security,
                               Duration timeout, ConnectCallback connected)
    : net_(net),
      to_(to),
      security_(std::static_pointer_cast<TlsSecurity>(std::move(security))),
      connected_(std::move(connected)),
      own_(net.own_address()),
      deadline_(net.loop().now() + timeout) {
  // Not before the caller holds this object: even a failure on the spot is told later.
  net_.loop().post([this, alive = alive_] {
    if (*alive) look_up();
  });
}

RealConnecting::~RealConnecting() {
  *alive_ = false;
  watch_.stop();
}

void RealConnecting::look_up() {
  std::vector<SocketAddress> numeric = numeric_address(to_);
  if (!numeric.empty()) return use(std::move(numeric));
  stage_ = "resolving";
  limit_.after(net_.loop(), deadline_ - net_.loop().now(),
               [this] { give_up({Code::timed_out, "the name service did not answer", {}, {}}); });
  auto found = std::make_shared<Result<std::vector<SocketAddress>>>();
  net_.resolver().run([found, to = to_] { *found = resolve(to); },
                      [this, found, alive = alive_] {
                        if (!*alive) return;
                        if (!*found) return give_up(std::move(*found).error());
                        use(std::move(**found));
                      });
}

void RealConnecting::use(std::vector<SocketAddress> addresses) {
  addresses_ = std::move(addresses);
  try_next();
}

void RealConnecting::try_next() {
  retry_.cancel();
  watch_.stop();
  transport_.reset();
  fd_.reset();
  if (next_address_ == addresses_.size()) return give_up(std::move(last_error_));
  const SocketAddress& address = addresses_[next_address_++];
  stage_ = "connecting";
  // A dead first address must leave time for the others.
  const Duration left = deadline_ - net_.loop().now();
  const auto shares = static_cast<Duration::rep>(addresses_.size() - next_address_ + 1);
  limit_.after(net_.loop(), left / shares, [this] {
    try_failed({Code::timed_out,
                stage_ == "connecting" ? "no answer in time" : "the TLS handshake took too long",
                {},
                {}});
  });
  begin(address);
}

void RealConnecting::begin(const SocketAddress& address) {
  auto socket = open_socket(address);
  if (!socket) return try_failed(std::move(socket).error());
  fd_ = *std::move(socket);
  if (address.family() != AF_UNIX) {
    tune_tcp(fd_.get());
    if (!own_.is_none()) {
      const auto own = numeric_address(Endpoint{own_.host_text(), 0, {}});
      if (Status bound = leave_from(fd_.get(), own.at(0)); !bound) {
        return try_failed(std::move(bound).error());
      }
    }
  }
  if (::connect(fd_.get(), address.get(), address.size) == 0) return on_connected();
  const int error = errno;
  if (error == EAGAIN && address.family() == AF_UNIX) {
    retry_.after(net_.loop(), kUnixRetry, [this] { begin(addresses_[next_address_ - 1]); });
    return;
  }
  if (error == ENOENT && address.family() == AF_UNIX) {
    return try_failed({Code::unreachable, "nobody listens there (no such socket)", {}, {}});
  }
  if (error != EINPROGRESS) return try_failed(errno_error({}, error));
  if (Status started = watch_.start(net_.loop(), fd_.get(), EPOLLOUT, *this); !started) {
    try_failed(std::move(started).error());
  }
}

void RealConnecting::on_fd(uint32_t /*events*/) {
  if (transport_) return handshake();
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return try_failed(errno_error({}, error));
  on_connected();
}

void RealConnecting::on_connected() {
  const SocketAddress& address = addresses_[next_address_ - 1];
  if (address.family() != AF_UNIX && local_address(fd_.get()).endpoint() == address.endpoint()) {
    // Nobody listens, but the kernel picked the wanted port as our own and joined us to ourselves.
    return try_failed(errno_error({}, ECONNREFUSED));
  }
  if (!security_) {
    transport_ = make_plain_transport(std::move(fd_));
    return succeed();
  }
  auto transport = make_tls_transport(std::move(fd_), TlsSide::connecting, security_);
  if (!transport) return try_failed(std::move(transport).error());
  transport_ = *std::move(transport);
  stage_ = "TLS handshake";
  handshake();
}

void RealConnecting::handshake() {
  uint32_t events = 0;
  switch (transport_->handshake()) {
    case Io::want_read:
      events = EPOLLIN;
      break;
    case Io::want_write:
      events = EPOLLOUT;
      break;
    case Io::moved:
      return succeed();
    case Io::ended:
    case Io::failed:
      return try_failed(transport_->take_error());
  }
  if (watch_.active()) return watch_.change(events);
  if (Status started = watch_.start(net_.loop(), transport_->fd(), events, *this); !started) {
    try_failed(std::move(started).error());
  }
}

void RealConnecting::try_failed(Error error) {
  error.context = fmt::format("{} to {}", stage_ == "connecting" ? "connecting" : "TLS handshake",
                              addresses_[next_address_ - 1].family() == AF_UNIX
                                  ? to_.text()
                                  : addresses_[next_address_ - 1].text());
  last_error_ = std::move(error);
  try_next();
}

void RealConnecting::succeed() {
  limit_.cancel();
  const SocketAddress& address = addresses_[next_address_ - 1];
  Peer peer;
  peer.address = address.text();
  transport_->describe(peer);
  if (address.family() == AF_UNIX) peer.local = peer_credentials(transport_->fd());
  auto stream =
      std::make_unique<RealStream>(net_, std::move(transport_), std::move(watch_), std::move(peer));
  ConnectCallback connected = std::move(connected_);
  connected(std::move(stream));
}

void RealConnecting::give_up(Error error) {
  limit_.cancel();
  retry_.cancel();
  if (error.context.empty()) error.context = fmt::format("{} {}", stage_, to_.text());
  ConnectCallback connected = std::move(connected_);
  connected(tl::unexpected(std::move(error)));
}

}  // namespace drover::net
