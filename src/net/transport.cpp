// The plain transport: recv, send and sendfile.
#include "net/transport.hpp"

#include <cerrno>

#include <sys/sendfile.h>
#include <sys/socket.h>

namespace drover::net {
namespace {

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;

  Io handshake() override { return Io::moved; }

  Io read(char* into, size_t room, size_t& got) override {
    got = 0;
    const ssize_t count = ::recv(fd(), into, room, 0);
    more_ = count == static_cast<ssize_t>(room);
    if (count > 0) {
      got = static_cast<size_t>(count);
      return Io::moved;
    }
    if (count == 0) return Io::ended;
    if (errno == EAGAIN || errno == EINTR) return Io::want_read;
    return failed(errno_error("reading", errno));
  }

  [[nodiscard]] bool more() const override { return more_; }
  [[nodiscard]] bool buffered() const override { return false; }

  Io write(std::string_view bytes, size_t& taken) override {
    taken = 0;
    const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      taken = static_cast<size_t>(count);
      return Io::moved;
    }
    if (errno == EAGAIN || errno == EINTR) return Io::want_write;
    return failed(errno_error("writing", errno));
  }

  [[nodiscard]] bool sends_files() const override { return true; }

  Io send_file(int file, uint64_t offset, size_t length, size_t& taken) override {
    taken = 0;
    auto at = static_cast<off_t>(offset);
    const ssize_t count = ::sendfile(fd(), file, &at, length);
    if (count >= 0) {
      taken = static_cast<size_t>(count);
      return Io::moved;
    }
    if (errno == EAGAIN || errno == EINTR) return Io::want_write;
    return failed(errno_error("sending a file", errno));
  }

  void finish() override { ::shutdown(fd(), SHUT_WR); }
  void describe(Peer& /*peer*/) const override {}

 private:
  bool more_ = false;
};

}  // namespace

Error Transport::take_error() {
  if (!error_) return Error{Code::internal, "the transport has no error to tell", {}, {}};
  Error error = std::move(*error_);
  error_.reset();
  return error;
}

Io Transport::send_file(int /*file*/, uint64_t /*offset*/, size_t /*length*/, size_t& taken) {
  taken = 0;
  return failed({Code::unsupported, "this transport sends no files", {}, {}});
}

Io Transport::failed(Error error) {
  error_ = std::make_unique<Error>(std::move(error));
  return Io::failed;
}

std::unique_ptr<Transport> make_plain_transport(UniqueFd fd) {
  return std::make_unique<PlainTransport>(std::move(fd));
}

}  // namespace drover::net
