// A copy of the model on disk: a snapshot, and behind it a log of what has changed since. What a
// boot daemon starts from when no master answers.
#pragma once

#include "api/snapshot_line.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Blocks; one thread, a worker's. Lines carry their CRC-32C, so a tail that a crash tore or a disk
/// spoiled is noticed: what comes before it counts, and the daemon asks its master for the rest.
class ReplicaFile {
 public:
  /// What was read: every thing once, in order of kind and key.
  struct Content {
    std::vector<api::SnapshotLine> things;
    uint64_t sequence = 0;  ///< it is complete up to this change
  };

  /// `dir` is made when it is not there. `disk` outlives it.
  ReplicaFile(Disk& disk, std::string dir);

  /// Reads both files; empty with sequence 0 when there is no snapshot or it is spoiled. Errors are
  /// the disk's. Call it before the others.
  Result<Content> load();
  /// Puts a new snapshot in the place of everything, as one step.
  Status replace(const Content& content);
  /// Adds changes and makes them durable. A body of `null` says that the thing is gone.
  Status append(std::span<const api::SnapshotLine> changes);
  /// The log has grown so long that a new snapshot is better.
  [[nodiscard]] bool is_long() const;

 private:
  [[nodiscard]] std::string log_path(uint64_t generation) const;
  Status open_log();

  Disk& disk_;
  std::string dir_;
  std::unique_ptr<File> log_;
  uint64_t generation_ = 0;  ///< of the snapshot; a log belongs to one
  uint64_t log_size_ = 0;
  uint64_t snapshot_size_ = 0;
};

}  // namespace drover::daemons
