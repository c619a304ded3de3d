// Transport: non-blocking reading and writing of one connected socket, plain or through TLS.
#pragma once

#include "base/result.hpp"
#include "net/fd.hpp"
#include "net/net.hpp"

#include <memory>
#include <string_view>

namespace drover::net {

/// What one try did. After `failed`, Transport::take_error() says why.
enum class Io { moved, want_read, want_write, ended, failed };

/// One connected socket. Never blocks.
class Transport {
 public:
  explicit Transport(UniqueFd fd) : fd_(std::move(fd)) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// A step towards a usable transport; `moved` when it is.
  virtual Io handshake() = 0;
  virtual Io read(char* into, size_t room, size_t& got) = 0;
  /// False when the last read took all that had come, so that another would only tell want_read.
  [[nodiscard]] virtual bool more() const = 0;
  /// Whether bytes wait in here that epoll knows nothing of.
  [[nodiscard]] virtual bool buffered() const = 0;
  virtual Io write(std::string_view bytes, size_t& taken) = 0;
  /// Whether send_file() works.
  [[nodiscard]] virtual bool sends_files() const { return false; }
  /// Bytes of the file from `offset`, by the operating system; `moved` with none taken is its end.
  virtual Io send_file(int file, uint64_t offset, size_t length, size_t& taken);
  /// Tells the peer that nothing more will be written.
  virtual void finish() = 0;
  /// Adds what this transport has proven.
  virtual void describe(Peer& peer) const = 0;
  /// Why the last try failed.
  Error take_error();

 protected:
  /// Remembers why a try failed; returns Io::failed.
  Io failed(Error error);

 private:
  UniqueFd fd_;
  std::unique_ptr<Error> error_;  ///< by pointer: seldom there, and an Error is 104 bytes
};

std::unique_ptr<Transport> make_plain_transport(UniqueFd fd);

}  // namespace drover::net
