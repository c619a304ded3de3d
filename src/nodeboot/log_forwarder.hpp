// Sends what the kernel writes to drover-boot, from the first message that the kernel still has.
#pragma once

#include "net/loop.hpp"
#include "net/readable_watch.hpp"
#include "nodeboot/boot_client.hpp"
#include "os/kernel_log.hpp"

#include <memory>
#include <string>

namespace drover::nodeboot {

/// Gathers messages for some milliseconds, then posts them; one post is on its way at a time. What
/// could not be posted is tried again, and meanwhile the kernel's own ring keeps what comes.
/// Executor's thread only.
class LogForwarder {
 public:
  /// Longest wait of a message before it leaves.
  static constexpr Duration kGather = std::chrono::milliseconds(40);
  /// Bytes of one post.
  static constexpr size_t kBatch = size_t{128} << 10;

  /// `loop` and `client` outlive this. Wherever the kernel repeats `secret` (the token in its
  /// command line) it is left out.
  LogForwarder(net::Loop& loop, BootClient& client, os::KernelLog log, std::string secret)
      : loop_(loop), client_(client), log_(std::move(log)), secret_(std::move(secret)) {}
  ~LogForwarder() { *alive_ = false; }

  Status start();
  /// Sequence number after the last message that was taken by drover-boot.
  [[nodiscard]] uint64_t sent() const { return sent_; }
  /// Calls `done` once when what is there now has been taken, or after `limit`.
  void flush(Duration limit, Callback<void()> done);

 private:
  void gather();
  void post();
  void posted(const Status& how);
  void settle_flush();

  net::Loop& loop_;
  BootClient& client_;
  os::KernelLog log_;
  std::unique_ptr<net::ReadableWatch> watch_;
  std::string secret_;
  std::string batch_;  ///< not yet taken
  uint64_t sent_ = 0;
  int failures_ = 0;
  bool posting_ = false;
  Timer gathering_;
  Timer limit_;
  Callback<void()> flushed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::nodeboot
