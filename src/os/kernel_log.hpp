// The kernel's messages as /dev/kmsg gives them, one record a line
// (Documentation/ABI/testing/dev-kmsg of Linux): "priority,sequence,microseconds,flags;text".
#pragma once

#include "base/result.hpp"
#include "os/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::os {

struct KernelMessage {
  int level = 6;          ///< syslog severity: 0 emergency .. 7 debug
  int facility = 0;       ///< 0 kernel; others were written to /dev/kmsg by programs
  uint64_t sequence = 0;  ///< counts up by one per record of this boot
  uint64_t time_us = 0;   ///< since the kernel's start
  std::string_view text;  ///< escapes as they came; into the line
};

/// Reads a record's first line; nothing when it is none.
std::optional<KernelMessage> parse_kernel_message(std::string_view line);

/// Reads records from the oldest that the kernel still has. Any thread, one at a time.
class KernelLog {
 public:
  /// Without `path`: /dev/kmsg.
  static Result<KernelLog> open(const std::string& path = "/dev/kmsg");

  /// Appends to `out`, one line each, the records that are there now, without their dictionary
  /// lines, until `limit` bytes are there; how many. Never waits. Records that were overwritten
  /// before they were read are left out.
  Result<size_t> read(std::string& out, size_t limit);
  /// Leaves out records up to this sequence number.
  void skip_to(uint64_t sequence) { next_ = sequence; }
  /// The number after that of the last record read.
  [[nodiscard]] uint64_t next() const { return next_; }
  /// Readable when there is a record.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit KernelLog(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  uint64_t next_ = 0;
};

/// Writes one line into the kernel's log, with facility "daemon"; level as in KernelMessage.
/// A failure is not told: there is nowhere left to say it.
void write_kernel_log(int level, std::string_view text);

}  // namespace drover::os
