// Writes the partition table of a node's disk: GPT, UEFI specification 2.10 chapter 5. Pure; the
// kernel and the firmware are who reads it.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::nodeboot {

/// 16 octets as the specification stores them: the first three fields little endian.
using Guid = std::array<uint8_t, 16>;

/// Reads "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"; of a text that is none, what its digits give: the
/// constants of the layout are the one use.
Guid guid_from(std::string_view text);

struct GptPartition {
  Guid type{};
  Guid id{};               ///< unique
  uint64_t first = 0;      ///< sector
  uint64_t last = 0;       ///< sector, of the partition too
  std::string_view label;  ///< ASCII, at most 36 characters
};

/// What stands at both ends of the disk.
struct GptBytes {
  std::string head;        ///< from sector 0: protective MBR, header, entries
  std::string tail;        ///< up to the last sector: entries, header
  uint64_t tail_from = 0;  ///< sector where the tail begins
};

/// invalid_argument when partitions overlap, lie outside of what the tables leave, or are more than
/// 128; the same for a sector size other than 512 to 4096.
Result<GptBytes> make_gpt(uint64_t sectors, uint32_t sector_bytes, const Guid& disk,
                          const std::vector<GptPartition>& partitions);

}  // namespace drover::nodeboot
