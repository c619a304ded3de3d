// InputWatch: what a terminal or pipe sends, as events of the loop.
#pragma once

#include "net/loop.hpp"

#include <memory>
#include <string_view>

namespace drover::net {

/// Hands what can be read from a descriptor to `on_bytes` on the loop's thread; an empty text means
/// that the other end is gone, and nothing follows it. Does not own the descriptor.
class InputWatch final : private FdHandler {
 public:
  /// Fails for what cannot be waited for, such as a plain file. `on_bytes` must not destroy it.
  static Result<std::unique_ptr<InputWatch>> make(Loop& loop, int fd,
                                                  Callback<void(std::string_view)> on_bytes);

 private:
  InputWatch(int fd, Callback<void(std::string_view)> on_bytes)
      : fd_(fd), on_bytes_(std::move(on_bytes)) {}
  void on_fd(uint32_t events) override;

  int fd_;
  Callback<void(std::string_view)> on_bytes_;
  Loop::Watch watch_;
};

}  // namespace drover::net
