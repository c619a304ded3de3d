// A bounded append-only spool on disk: entries under a key, kept until acknowledged. Blocking; used
// from one thread at a time (a Worker's).
//
// Files NNNNNNNNNNNNNNNN.spool, each: 8 bytes "DRVSPL1\n", then entries
//   | length u32 | crc32c u32 | kind u8 | key length u16 | key | bytes |      integers
//   little-endian
// where `length` counts what follows the checksum and the checksum covers `length` and that.
// kind 1: an entry; 2: an acknowledgement of the key (no bytes; a hint, written without haste).
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

struct SpoolLimits {
  uint64_t bytes = uint64_t{256} << 20;        ///< on disk together
  uint64_t segment_bytes = uint64_t{4} << 20;  ///< a file is closed when it reaches this
};

/// What opening found beside good entries.
struct SpoolFindings {
  uint64_t torn_bytes = 0;  ///< cut off the end of the last file: writes that were never synced
  std::vector<std::string> damaged;  ///< "FILE at OFFSET: why": the rest of that file was skipped
};

/// An entry counts as spooled once a sync() after its append() has succeeded. What was synced
/// survives any crash; of what was not, nothing or a part may be found at the next open. An
/// acknowledged entry may be found again after a crash: its reader must bear that.
class Spool {
 public:
  static Result<std::unique_ptr<Spool>> open(Disk& disk, std::string dir, SpoolLimits limits);

  /// Writes one entry; a second one under a key that is held takes the first one's place.
  /// exhausted when the byte limit would be passed; io and others as the disk says (nothing
  /// changed).
  Status append(std::string_view key, std::string_view bytes);
  /// Makes all appends durable. On failure everything since the last good sync() is gone from the
  /// spool and must be appended again.
  Status sync();
  /// Lets an entry go; files without live entries are removed. Unknown keys are ignored.
  Status acknowledge(std::string_view key);
  /// not_found; corrupt when the disk no longer gives what was written.
  Result<std::string> read(std::string_view key);

  /// Keys of the live entries in the order of their (latest) writing.
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] size_t entries() const;
  [[nodiscard]] uint64_t bytes() const;
  [[nodiscard]] const SpoolFindings& findings() const;

 private:
  Spool(Disk& disk, std::string dir, SpoolLimits limits);
};

}  // namespace drover::tree
