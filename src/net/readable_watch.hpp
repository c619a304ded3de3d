// ReadableWatch: tells when a descriptor has something to read, and leaves the reading to others.
#pragma once

#include "net/loop.hpp"

#include <memory>

namespace drover::net {

/// Calls `readable` on the loop's thread as long as the descriptor can be read (level-triggered).
/// Does not own the descriptor; destroy it before that is closed. `readable` must not destroy it.
class ReadableWatch final : private FdHandler {
 public:
  /// Fails for what cannot be waited for, such as a plain file.
  static Result<std::unique_ptr<ReadableWatch>> make(Loop& loop, int fd, Callback<void()> readable);
  /// Stops and starts the events.
  void pause(bool paused);

 private:
  explicit ReadableWatch(Callback<void()> readable) : readable_(std::move(readable)) {}
  void on_fd(uint32_t events) override;

  Callback<void()> readable_;
  Loop::Watch watch_;
};

}  // namespace drover::net
