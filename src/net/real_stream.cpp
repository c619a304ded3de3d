// RealStream: flushing, reading and ending, under the contract that handlers may do anything.
#include "net/real_stream.hpp"

#include "net/real_net.hpp"

#include <algorithm>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace drover::net {
namespace {

// Largest piece handed to the transport at once: one TLS record (RFC 8446 section 5.1).
constexpr size_t kWritePiece = size_t{16} * 1024;
// An orderly close waits this long for the peer's end, so that no RST overtakes our last bytes.
constexpr Duration kLinger = std::chrono::seconds(1);
// A close with unsent bytes gives up when the peer takes none for this long.
constexpr Duration kCloseStall = std::chrono::seconds(10);
// Most of a file that is sent in one turn of the loop, so that a fast client leaves room for
// others.
constexpr uint64_t kFilePerTurn = uint64_t{1} << 20;
// Sent storage is given back above this offset, so that a slow peer does not hold the sent part.
constexpr size_t kCompactFrom = size_t{64} * 1024;
// Capacity up to which a string is no storage worth keeping.
constexpr size_t kInline = sizeof(std::string);

Error closed_by_us() {
  return {Code::cancelled, "closed", {}, {}};
}
Error closed_by_peer() {
  return {Code::cancelled, "closed by peer", {}, {}};
}

}  // namespace

/// Knows whether the stream was destroyed while it was on the stack.
class RealStream::Guard {
 public:
  explicit Guard(RealStream& stream) : stream_(stream) { stream.destroyed_ = &destroyed_; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    if (!destroyed_) stream_.destroyed_ = nullptr;
  }
  [[nodiscard]] bool alive() const { return !destroyed_; }

 private:
  RealStream& stream_;
  bool destroyed_ = false;
};

RealStream::RealStream(RealNet& net, std::unique_ptr<Transport> transport, Loop::Watch watch,
                       Peer peer)
    : net_(net),
      transport_(std::move(transport)),
      watch_(std::move(watch)),
      peer_(std::move(peer)) {
  if (watch_.active()) {
    watch_.hand_to(*this);
    watch_.change(0);
  }
}

RealStream::~RealStream() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  if (place_ != kNowhere) net_.forget(place_);
  watch_.stop();
}

void RealStream::ask_attention() {
  if (place_ == kNowhere) place_ = net_.attend_later(*this);
}

void RealStream::set_handler(StreamHandler* handler) {
  handler_ = handler;
  if (handler == nullptr) {
    update_watch();
    return;
  }
  if (verdict_ || (!dead_ && (hung_up_ || transport_->buffered() || unsent() > 0))) ask_attention();
  update_watch();
}

void RealStream::write(std::string_view bytes) {
  if (dead_ || closing_ || write_error_ || bytes.empty()) return;
  if (file_) {
    write_error_ = std::make_unique<Error>(
        Error{Code::internal, "bytes were written while a file is being sent", {}, {}});
    return ask_attention();
  }
  if (out_.empty() && out_.capacity() <= kInline) out_ = net_.take_spare();
  out_.append(bytes);
  if (!blocked_) ask_attention();
}

bool RealStream::send_file(int fd, uint64_t offset, uint64_t length) {
  if (dead_ || closing_ || write_error_ || file_ || !transport_->sends_files()) return false;
  file_ = std::make_unique<FileRange>(FileRange{fd, offset, length});
  if (!blocked_) ask_attention();
  return true;
}

void RealStream::close() {
  if (dead_ || closing_) return;
  closing_ = true;
  arm_close_limit(kCloseStall, "the peer took no more bytes");
  // At once, not at the turn's end: the owner may destroy the stream before that, and what was said
  // last is why. Needs no event; whatever comes of it is told when the stream is attended.
  if (!blocked_ && !write_error_) {
    write_out();
    if (unsent() == 0 && !write_error_) {
      finish_closing();  // the orderly end too: else the peer takes the link for cut
    } else {
      update_watch();
    }
  }
  ask_attention();
}

void RealStream::pause_reading(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  if (dead_) return;
  if (!paused && (hung_up_ || transport_->buffered())) ask_attention();
  update_watch();
}

void RealStream::update_watch() {
  if (dead_ || hung_up_) return;
  const uint32_t events =
      (reading() ? uint32_t{EPOLLIN} : 0U) | (blocked_ ? uint32_t{EPOLLOUT} : 0U);
  if (watch_.active()) {
    watch_.change(events);
  } else if (const Status started = watch_.start(net_.loop(), transport_->fd(), events, *this);
             !started) {
    verdict_ = std::make_unique<Error>(started.error());
    ask_attention();
  }
}

void RealStream::on_fd(uint32_t events) {
  const Guard guard(*this);
  if ((events & EPOLLOUT) != 0 && blocked_) {
    blocked_ = false;
    if (!flush() || dead_) return;
  }
  if (!reading()) {
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) hung_up();
    return;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_some();
}

void RealStream::attend() {
  place_ = kNowhere;
  const Guard guard(*this);
  if (verdict_) {
    const std::unique_ptr<Error> why = std::move(verdict_);
    dead_ = false;  // so that it is told
    die(std::move(*why));
    return;
  }
  if (dead_) return;
  if (!blocked_ && !flush()) return;
  if (!dead_ && reading() && (hung_up_ || transport_->more() || transport_->buffered()))
    read_some();
}

/// Hands bytes to the transport until it takes no more.
void RealStream::write_out() {
  while (queued() > 0) {
    size_t taken = 0;
    const std::string_view left = std::string_view(out_).substr(out_sent_, kWritePiece);
    const Io io = transport_->write(left, taken);
    out_sent_ += taken;
    if (io == Io::moved) continue;
    if (io == Io::failed) {
      write_error_ = std::make_unique<Error>(transport_->take_error());
    } else {
      blocked_ = true;
    }
    break;
  }
  if (file_ && queued() == 0) send_some_of_file();
}

void RealStream::send_some_of_file() {
  uint64_t room = kFilePerTurn;
  while (file_->left > 0 && room > 0) {
    size_t taken = 0;
    const Io io =
        transport_->send_file(file_->fd, file_->offset, std::min(file_->left, room), taken);
    if (io == Io::want_write) {
      blocked_ = true;
      return;
    }
    if (io == Io::failed || taken == 0) {
      write_error_ = std::make_unique<Error>(
          io == Io::failed
              ? transport_->take_error()
              : Error{Code::corrupt, "the file became shorter while it was sent", {}, {}});
      return;
    }
    file_->offset += taken;
    file_->left -= taken;
    room -= taken;
  }
  if (file_->left == 0) {
    file_.reset();
  } else {
    ask_attention();
  }
}

bool RealStream::flush() {
  const size_t before = unsent();
  if (!write_error_) write_out();
  if (write_error_) {
    // The peer's reason, such as a TLS alert, may still wait to be read: it says more than EPIPE.
    out_.clear();
    out_sent_ = 0;
    blocked_ = false;
    if (reading()) return read_some();
    return die(std::move(*write_error_));
  }
  if (closing_ && unsent() < before) arm_close_limit(kCloseStall, "the peer took no more bytes");
  if (unsent() > 0) {
    if (out_sent_ >= kCompactFrom) {
      out_.erase(0, out_sent_);
      out_sent_ = 0;
    }
    update_watch();
    return true;
  }
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > kInline) net_.give_spare(std::exchange(out_, {}));
  if (closing_) {
    finish_closing();
    return true;
  }
  update_watch();
  if (before > 0 && handler_ != nullptr) {
    bool* const destroyed = destroyed_;
    handler_->on_drained();
    return !*destroyed;
  }
  return true;
}

void RealStream::finish_closing() {
  if (!finished_) {
    finished_ = true;
    transport_->finish();
    arm_close_limit(kLinger, "closed");
  }
  update_watch();
}

void RealStream::arm_close_limit(Duration limit, std::string why) {
  close_limit_.after(net_.loop(), limit, [this, why = std::move(why)] {
    const Guard guard(*this);
    die({Code::cancelled, why, {}, {}});
  });
}

bool RealStream::read_some() {
  auto& buffer = net_.read_buffer();
  size_t filled = 0;
  Io io = Io::moved;
  do {
    size_t got = 0;
    io = transport_->read(buffer.data() + filled, buffer.size() - filled, got);
    filled += got;
  } while (io == Io::moved && transport_->more() && filled < buffer.size());

  bool* const destroyed = destroyed_;
  if (filled > 0 && !closing_) {
    handler_->on_data({buffer.data(), filled});
    if (*destroyed) return false;
    if (dead_) return true;
  }
  switch (io) {
    case Io::ended:
      return die(finished_ ? closed_by_us() : closed_by_peer());
    case Io::failed:
      // After both ends are done, how the peer lets go no longer matters.
      return die(finished_ ? closed_by_us() : transport_->take_error());
    case Io::want_read:
    case Io::want_write:
      if (write_error_) return die(std::move(*write_error_));
      break;
    case Io::moved:
      if (write_error_ || hung_up_ || transport_->buffered()) ask_attention();
      break;
  }
  return true;
}

/// The connection broke while nobody reads: over, unless bytes came before that are still wanted.
bool RealStream::hung_up() {
  char byte = 0;
  const bool unread =
      transport_->buffered() || ::recv(transport_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  if (unread) {
    hung_up_ = true;
    watch_.stop();  // level-triggered: it would be reported for ever
    return true;
  }
  size_t got = 0;
  const Io io = transport_->read(&byte, 1, got);
  return die(io == Io::failed ? transport_->take_error() : closed_by_peer());
}

bool RealStream::die(Error why) {
  if (dead_) return true;
  dead_ = true;
  close_limit_.cancel();
  watch_.stop();
  transport_.reset();
  out_ = {};
  out_sent_ = 0;
  if (handler_ == nullptr) {
    verdict_ = std::make_unique<Error>(std::move(why));
    return true;
  }
  bool* const destroyed = destroyed_;
  handler_->on_closed(why);
  return !*destroyed;
}

}  // namespace drover::net
