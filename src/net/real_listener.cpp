// RealListener: bounded accepting, bounded handshakes, and what to do when descriptors run out.
#include "net/real_listener.hpp"

#include "net/real_stream.hpp"
#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace drover::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
// Handshakes in progress. A handshake costs about 1 ms of CPU, so with this many each is through in
// half a second; were all of a reconnect storm accepted at once, all would be slow together and
// time out together, for ever. The rest waits in the kernel's backlog.
constexpr size_t kHandshakes = 512;
// A handshake counts against that for this long, so that silent peers cannot keep the others out.
constexpr Duration kYoung = std::chrono::seconds(1);
constexpr Duration kStarvedPause = std::chrono::milliseconds(100);

}  // namespace

/// One connection in its TLS handshake.
class RealListener::Accepting final : private FdHandler {
 public:
  Accepting(RealListener& listener, std::unique_ptr<Transport> transport, Peer peer, size_t index)
      : listener_(listener),
        transport_(std::move(transport)),
        peer_(std::move(peer)),
        index_(index) {}
  ~Accepting() override {
    watch_.stop();
    release_slot();
  }

  Status start() {
    DROVER_CHECK_OK(watch_.start(listener_.net_.loop(), transport_->fd(), EPOLLIN, *this));
    limit_.after(listener_.net_.loop(), kYoung, [this] { grow_old(); });
    return {};
  }

  void set_index(size_t index) { index_ = index; }

 private:
  void grow_old() {
    release_slot();
    const Duration left = listener_.net_.options().handshake_limit - kYoung;
    limit_.after(listener_.net_.loop(), std::max(left, Duration::zero()),
                 [this] { end({Code::timed_out, "no TLS handshake in time", {}, {}}); });
  }

  void release_slot() {
    if (std::exchange(holds_slot_, false)) listener_.release_slot();
  }

  void on_fd(uint32_t /*events*/) override {
    switch (transport_->handshake()) {
      case Io::want_read:
        watch_.change(EPOLLIN);
        return;
      case Io::want_write:
        watch_.change(EPOLLOUT);
        return;
      case Io::moved: {
        transport_->describe(peer_);
        const std::unique_ptr<Accepting> self = listener_.remove(index_);
        release_slot();
        limit_.cancel();
        listener_.deliver(std::move(transport_), std::move(watch_), std::move(peer_));
        return;
      }
      case Io::ended:
      case Io::failed:
        end(transport_->take_error());
        return;
    }
  }

  void end(Error error) {
    const std::unique_ptr<Accepting> self = listener_.remove(index_);
    release_slot();
    watch_.stop();
    transport_.reset();
    error.context = "TLS handshake";
    listener_.refuse(std::move(peer_.address), std::move(error));
  }

  RealListener& listener_;
  std::unique_ptr<Transport> transport_;
  Peer peer_;
  size_t index_;
  Loop::Watch watch_;
  Timer limit_;
  bool holds_slot_ = true;
};

RealListener::RealListener(RealNet& net, Callback<std::shared_ptr<Security>()> security,
                           AcceptCallback accepted)
    : net_(net),
      security_(std::move(security)),
      accepted_(std::make_shared<AcceptCallback>(std::move(accepted))) {}

Result<std::unique_ptr<RealListener>> RealListener::make(
    RealNet& net, const Endpoint& at, Callback<std::shared_ptr<Security>()> security,
    AcceptCallback accepted) {
  std::unique_ptr<RealListener> listener(
      new RealListener(net, std::move(security), std::move(accepted)));
  DROVER_CHECK_OK(listener->open(at));
  return listener;
}

Status RealListener::open(const Endpoint& at) {
  DROVER_TRY(const auto addresses, resolve(at));
  DROVER_TRY(fd_, open_listener(addresses.front(), net_.options().unix_mode));
  endpoint_ = at;
  if (at.unix_path.empty()) {
    endpoint_ = local_address(fd_.get()).endpoint();
  } else if (struct stat info{}; ::lstat(at.unix_path.c_str(), &info) == 0) {
    unix_device_ = info.st_dev;
    unix_inode_ = info.st_ino;
  }
  return watch_.start(net_.loop(), fd_.get(), EPOLLIN, *this);
}

RealListener::~RealListener() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  watch_.stop();
  accepting_.clear();
  if (endpoint_.unix_path.empty() || !fd_.valid()) return;
  struct stat info{};
  // A successor may have put its own socket there.
  if (::lstat(endpoint_.unix_path.c_str(), &info) == 0 && info.st_dev == unix_device_ &&
      info.st_ino == unix_inode_) {
    ::unlink(endpoint_.unix_path.c_str());
  }
}

bool RealListener::room_for_more() const {
  return slots_used_ < kHandshakes;
}

void RealListener::on_fd(uint32_t /*events*/) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const bool go_on = accept_one();
    if (destroyed) return;
    if (!go_on) break;
  }
  destroyed_ = nullptr;
  if (!room_for_more()) watch_.change(0);
}

void RealListener::release_slot() {
  --slots_used_;
  if (!starved_) watch_.change(EPOLLIN);
}

/// False when there is none to accept, or no room.
bool RealListener::accept_one() {
  if (!room_for_more()) return false;
  SocketAddress address;
  address.size = sizeof address.storage;
  UniqueFd fd(::accept4(fd_.get(), address.get(), &address.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.valid()) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      out_of_descriptors(error);
    }
    // Else the queue is empty, or the connection broke before it was accepted.
    return error == ECONNABORTED || error == EINTR || error == EPROTO;
  }
  starved_ = false;
  Peer peer;
  peer.address = address.text();
  if (endpoint_.unix_path.empty()) {
    tune_tcp(fd.get());
  } else {
    peer.local = peer_credentials(fd.get());
  }
  const auto security = security_ ? security_() : nullptr;
  if (!security) {
    deliver(make_plain_transport(std::move(fd)), {}, std::move(peer));
  } else {
    begin_tls(std::move(fd), std::static_pointer_cast<TlsSecurity>(security), std::move(peer));
  }
  return true;
}

void RealListener::out_of_descriptors(int error) {
  watch_.change(0);
  pause_.after(net_.loop(), kStarvedPause, [this] { watch_.change(EPOLLIN); });
  if (std::exchange(starved_, true)) return;  // said once per spell
  Error why = errno_error("accepting", error);
  why.code = Code::exhausted;
  why.next = "raise the open-file limit (ulimit -n, LimitNOFILE=)";
  refuse({}, std::move(why));
}

void RealListener::begin_tls(UniqueFd fd, std::shared_ptr<TlsSecurity> security, Peer peer) {
  auto transport = make_tls_transport(std::move(fd), TlsSide::accepting, std::move(security));
  if (!transport) return refuse(std::move(peer.address), std::move(transport).error());
  ++slots_used_;
  accepting_.push_back(std::make_unique<Accepting>(*this, *std::move(transport), std::move(peer),
                                                   accepting_.size()));
  if (Status started = accepting_.back()->start(); !started) {
    const std::unique_ptr<Accepting> dropped = remove(accepting_.size() - 1);
    refuse({}, std::move(started).error());
  }
}

std::unique_ptr<RealListener::Accepting> RealListener::remove(size_t index) {
  std::unique_ptr<Accepting> removed = std::move(accepting_[index]);
  if (index + 1 < accepting_.size()) {
    accepting_[index] = std::move(accepting_.back());
    accepting_[index]->set_index(index);
  }
  accepting_.pop_back();
  return removed;
}

void RealListener::deliver(std::unique_ptr<Transport> transport, Loop::Watch watch, Peer peer) {
  const auto accepted = accepted_;
  (*accepted)(
      std::make_unique<RealStream>(net_, std::move(transport), std::move(watch), std::move(peer)));
}

void RealListener::refuse(std::string peer_address, Error error) {
  const auto accepted = accepted_;
  (*accepted)(tl::unexpected(AcceptFailure{std::move(peer_address), std::move(error)}));
}

}  // namespace drover::net
