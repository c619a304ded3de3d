// Which disk a node in mode disk takes, and how it is divided. Pure.
#pragma once

#include "base/result.hpp"
#include "nodeboot/disk_mark.hpp"
#include "nodeboot/gpt.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::nodeboot {

/// A disk's first and last bytes are looked at for this much: every table of partitions, file
/// system, RAID and volume manager leaves something there.
inline constexpr uint64_t kLookedAt = uint64_t{4} << 20;

struct DiskFacts {
  std::string name;  ///< the kernel's: "sda", "nvme0n1"
  uint64_t bytes = 0;
  uint32_t sector_bytes = 512;
  bool removable = false;
  bool read_only = false;
  std::string serial;            ///< empty: it says none
  bool blank = false;            ///< its first and last 4 MiB are zeros
  std::optional<DiskMark> mark;  ///< of any cluster; neither mark nor blank: it is foreign
  [[nodiscard]] bool belongs_to(std::string_view cluster) const {
    return mark && mark->cluster == cluster;
  }
};

struct DiskWish {
  std::string disk;     ///< its name or serial number; empty: by the rule
  bool wipe = false;    ///< what a foreign disk holds may be destroyed
  std::string cluster;  ///< SHA-256 of the CA
  uint64_t root = 0;    ///< bytes of the image's root
};

/// The disk that the wish names; else the one with this cluster's mark; else the first blank one by
/// name. Disks that are removable, read-only or too small are passed over unless they are named
/// (then the error says what is wrong). A foreign disk is taken only with `wipe`, and only when it
/// is named or the only one. not_found and denied tell of each disk why it is not it.
Result<DiskFacts> choose_disk(std::span<const DiskFacts> disks, const DiskWish& wish);

/// The partitions, by their number on the disk.
enum class Part : uint8_t {
  mark = 1,   ///< 1 MiB with the mark in its first sector
  start = 2,  ///< FAT: what UEFI boots the disk by
  root = 3,   ///< the image's squashfs, byte for byte
  state = 4,  ///< ext4: what the node writes, and its identity
};

struct Extent {
  uint64_t offset = 0;  ///< bytes, of whole MiB
  uint64_t bytes = 0;
};

struct DiskLayout {
  std::array<Extent, 4> parts;  ///< in the order of Part
  [[nodiscard]] const Extent& of(Part part) const {
    return parts.at(static_cast<size_t>(part) - 1);
  }
};

/// Smallest room for what the node writes.
inline constexpr uint64_t kLeastState = uint64_t{64} << 20;

/// too_large says how much is missing.
Result<DiskLayout> lay_out(uint64_t disk_bytes, uint64_t root_bytes);

/// The table of that layout. `ids`: of the disk, then one for each partition.
Result<GptBytes> partition_table(const DiskFacts& disk, const DiskLayout& layout,
                                 const std::array<Guid, 5>& ids);

/// The kernel's name of a partition: "sda3", "nvme0n1p3".
std::string partition_name(std::string_view disk, Part part);

}  // namespace drover::nodeboot
