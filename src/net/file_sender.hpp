// What a stream may be able to do beside writing: have the operating system send a file.
#pragma once

#include <cstdint>

namespace drover::net {

/// Streams that can, derive from it too: dynamic_cast finds out. TLS and simulated streams cannot.
class FileSender {
 public:
  FileSender() = default;
  FileSender(const FileSender&) = delete;
  FileSender& operator=(const FileSender&) = delete;
  virtual ~FileSender() = default;

  /// Queues `length` bytes of an open file from `offset`, to be sent without copying them through
  /// here, behind what was written. False, with nothing done, when this stream cannot. They count
  /// as unsent. `fd` stays open until on_drained or the stream's end; nothing may be written
  /// before. A file that ends early ends the stream.
  virtual bool send_file(int fd, uint64_t offset, uint64_t length) = 0;
};

}  // namespace drover::net
