// All numbers are little endian; checksums are the CRC-32 of zlib and Ethernet.
#include "nodeboot/gpt.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr uint32_t kEntries = 128;
constexpr uint32_t kEntryBytes = 128;
constexpr uint32_t kHeaderBytes = 92;
constexpr size_t kMbrTable = 446;

uint32_t crc32(std::string_view bytes) {
  uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

void put(std::string& out, size_t at, uint64_t value, size_t octets) {
  for (size_t i = 0; i < octets; ++i) out[at + i] = static_cast<char>(value >> (8 * i));
}

void put(std::string& out, size_t at, const Guid& guid) {
  std::ranges::copy(guid, out.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string entries_of(const std::vector<GptPartition>& partitions) {
  std::string out(size_t{kEntries} * kEntryBytes, '\0');
  size_t at = 0;
  for (const GptPartition& one : partitions) {
    put(out, at, one.type);
    put(out, at + 16, one.id);
    put(out, at + 32, one.first, 8);
    put(out, at + 40, one.last, 8);
    for (size_t i = 0; i < std::min<size_t>(one.label.size(), 36); ++i) {
      put(out, at + 56 + 2 * i, static_cast<uint8_t>(one.label[i]), 2);
    }
    at += kEntryBytes;
  }
  return out;
}

/// What tells tools that know no GPT that the disk is not empty.
std::string protective_mbr(uint64_t sectors, uint32_t sector_bytes) {
  std::string out(sector_bytes, '\0');
  const size_t at = kMbrTable;
  put(out, at + 1, 0x000200, 3);  // first CHS
  put(out, at + 4, 0xEE, 1);
  put(out, at + 5, 0xFFFFFF, 3);  // last CHS
  put(out, at + 8, 1, 4);
  put(out, at + 12, std::min<uint64_t>(sectors - 1, UINT32_MAX), 4);
  put(out, 510, 0xAA55, 2);
  return out;
}

struct Header {
  uint64_t own = 0;      ///< sector of this header
  uint64_t other = 0;    ///< of the other one
  uint64_t entries = 0;  ///< where its entries begin
};

}  // namespace

Guid guid_from(std::string_view text) {
  // The order of the octets in the text, by their place in the stored form.
  constexpr std::array<size_t, 16> kPlace{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  Guid out{};
  size_t digits = 0;
  for (const char c : text) {
    if (c == '-' || digits >= 32) continue;
    const int lower = c | 0x20;
    const int value = lower >= 'a' ? lower - 'a' + 10 : c - '0';
    uint8_t& octet = out.at(kPlace.at(digits / 2));
    octet = static_cast<uint8_t>((octet << 4U) | (static_cast<unsigned>(value) & 0xFU));
    ++digits;
  }
  return out;
}

Result<GptBytes> make_gpt(uint64_t sectors, uint32_t sector_bytes, const Guid& disk,
                          const std::vector<GptPartition>& partitions) {
  const bool size_known =
      sector_bytes >= 512 && sector_bytes <= 4096 && (sector_bytes & (sector_bytes - 1)) == 0;
  if (!size_known) {
    return fail(Code::invalid_argument,
                fmt::format("a disk with sectors of {} bytes", sector_bytes));
  }
  const uint64_t table = uint64_t{kEntries} * kEntryBytes / sector_bytes;
  const uint64_t first = 2 + table;
  if (partitions.size() > kEntries || sectors < 2 * first + 1) {
    return fail(Code::invalid_argument, "the disk has no place for its partition table");
  }
  const uint64_t last = sectors - table - 2;
  for (uint64_t free = first; const GptPartition& one : partitions) {
    if (one.first < free || one.last < one.first || one.last > last) {
      return fail(Code::invalid_argument,
                  fmt::format("partition {} has no place on the disk", one.label));
    }
    free = one.last + 1;
  }
  const std::string entries = entries_of(partitions);
  const auto header = [&](const Header& where) {
    std::string out(sector_bytes, '\0');
    out.replace(0, 8, "EFI PART");
    put(out, 8, 0x00010000, 4);  // revision 1.0
    put(out, 12, kHeaderBytes, 4);
    put(out, 24, where.own, 8);
    put(out, 32, where.other, 8);
    put(out, 40, first, 8);
    put(out, 48, last, 8);
    put(out, 56, disk);
    put(out, 72, where.entries, 8);
    put(out, 80, kEntries, 4);
    put(out, 84, kEntryBytes, 4);
    put(out, 88, crc32(entries), 4);
    put(out, 16, crc32(std::string_view(out).substr(0, kHeaderBytes)), 4);
    return out;
  };
  GptBytes out;
  out.head = protective_mbr(sectors, sector_bytes) + header({1, sectors - 1, 2}) + entries;
  out.tail = entries + header({sectors - 1, 1, sectors - 1 - table});
  out.tail_from = sectors - 1 - table;
  return out;
}

}  // namespace drover::nodeboot
