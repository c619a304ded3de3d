// The sector by which a node knows its disk again: whose it is, and whether what stands on it is
// whole. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::nodeboot {

/// Where it lies: in front of every partition that holds anything, so that it can be read before
/// there is a partition table and when that is gone.
inline constexpr uint64_t kMarkOffset = uint64_t{1} << 20;
/// Disks write this much as one step.
inline constexpr size_t kMarkBytes = 512;

struct DiskMark {
  /// Set last, once all else is safe. Without it the disk is Drover's, and its content is nothing.
  bool whole = false;
  std::string cluster;  ///< SHA-256 of the cluster's CA, 64 hex digits
  std::string root;     ///< SHA-256 of the squashfs
  uint64_t size = 0;    ///< of the squashfs, bytes
  /// What the disk boots by itself with, as a SHA-256 (nodeboot/disk_menu.hpp); empty: it cannot.
  std::string start;
  bool operator==(const DiskMark&) const = default;
};

/// kMarkBytes of text with its own checksum, then zeros.
std::string to_sector(const DiskMark& mark);
/// The inverse; nothing when it is not such a sector, or a damaged one.
std::optional<DiskMark> parse_mark(std::string_view sector);

}  // namespace drover::nodeboot
