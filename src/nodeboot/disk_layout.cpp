// The rules are few: named before ours before blank, and a foreign disk never by itself.
#include "nodeboot/disk_layout.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
/// UEFI reads FAT32, which begins at 33 MiB; two kernels with their first roots lie there while one
/// takes the other's place.
constexpr uint64_t kLeastStart = 64 * kMiB;
constexpr uint64_t kMostStart = 512 * kMiB;

constexpr std::array<std::string_view, 4> kTypes{
    // Linux data, EFI system, Linux data twice: a type that says "root" would have systemd mount
    // it.
    "0fc63daf-8483-4772-8e79-3d69d8477de4", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "0fc63daf-8483-4772-8e79-3d69d8477de4", "0fc63daf-8483-4772-8e79-3d69d8477de4"};
constexpr std::array<std::string_view, 4> kLabels{"drover-mark", "drover-start", "drover-root",
                                                  "drover-state"};

std::string size_text(uint64_t bytes) {
  return fmt::format("{} MiB", bytes / kMiB);
}

/// Why the disk cannot be used, whatever it holds; empty: it can.
std::string unfit(const DiskFacts& disk, const DiskWish& wish) {
  if (disk.read_only) return "it is read-only";
  if (const auto fits = lay_out(disk.bytes, wish.root); !fits) return fits.error().message;
  return {};
}

/// The same for one that nobody named.
std::string passed_over(const DiskFacts& disk, const DiskWish& wish) {
  if (disk.removable) return "it is removable";
  return unfit(disk, wish);
}

std::string what_it_holds(const DiskFacts& disk, const DiskWish& wish) {
  if (disk.mark && !disk.belongs_to(wish.cluster)) return "it belongs to another cluster";
  return "it holds something that Drover did not write";
}

std::string list_of(std::span<const DiskFacts> disks, const DiskWish& wish) {
  std::string out;
  for (const DiskFacts& disk : disks) {
    std::string why = passed_over(disk, wish);
    if (why.empty()) why = what_it_holds(disk, wish);
    out += fmt::format("{}{} ({}, serial {}): {}", out.empty() ? "" : "; ", disk.name,
                       size_text(disk.bytes),
                       disk.serial.empty() ? "unknown" : printable(disk.serial), why);
  }
  return out.empty() ? "this machine shows no disk" : out;
}

Result<DiskFacts> named_disk(std::span<const DiskFacts> disks, const DiskWish& wish) {
  const auto found = std::ranges::find_if(disks, [&](const DiskFacts& disk) {
    return disk.name == wish.disk || (!disk.serial.empty() && disk.serial == wish.disk);
  });
  if (found == disks.end()) {
    return fail(Code::not_found,
                fmt::format("there is no disk {}: {}", printable(wish.disk), list_of(disks, wish)),
                "set the node's attribute boot_disk to a name or serial number");
  }
  if (const std::string why = unfit(*found, wish); !why.empty()) {
    return fail(Code::not_found, fmt::format("disk {} cannot be used: {}", found->name, why));
  }
  if (!found->blank && !found->belongs_to(wish.cluster) && !wish.wipe) {
    return fail(
        Code::denied,
        fmt::format("disk {} is not overwritten: {}", found->name, what_it_holds(*found, wish)),
        "set disk_wipe=true on the node if what it holds may go");
  }
  return *found;
}

}  // namespace

Result<DiskFacts> choose_disk(std::span<const DiskFacts> disks, const DiskWish& wish) {
  if (!wish.disk.empty()) return named_disk(disks, wish);
  const DiskFacts* blank = nullptr;
  const DiskFacts* foreign = nullptr;
  size_t fit = 0;
  for (const DiskFacts& disk : disks) {
    if (!passed_over(disk, wish).empty()) continue;
    if (disk.belongs_to(wish.cluster)) return disk;
    ++fit;
    const DiskFacts*& first = disk.blank ? blank : foreign;
    if (first == nullptr) first = &disk;
  }
  if (blank != nullptr) return *blank;
  if (foreign != nullptr && wish.wipe && fit == 1) return *foreign;
  if (foreign != nullptr) {
    return fail(Code::denied, "no disk may be written: " + list_of(disks, wish),
                wish.wipe ? "several could be wiped: name one by the node's attribute boot_disk"
                          : "set disk_wipe=true on the node if what its disk holds may go");
  }
  return fail(Code::not_found, "no disk can be used: " + list_of(disks, wish),
              "boot the node in mode image, or give it a disk");
}

Result<DiskLayout> lay_out(uint64_t disk_bytes, uint64_t root_bytes) {
  const uint64_t whole = disk_bytes / kMiB * kMiB;
  const uint64_t start = std::clamp(whole / 16 / kMiB * kMiB, kLeastStart, kMostStart);
  const uint64_t root = (std::min(root_bytes, UINT64_MAX - kMiB) + kMiB - 1) / kMiB * kMiB;
  // The table at the end takes less than a MiB.
  const uint64_t fixed = 3 * kMiB + start + kLeastState;
  if (root > whole || whole - root < fixed) {
    return fail(Code::too_large,
                fmt::format("it has {}, and the image takes {} with {} beside it",
                            size_text(disk_bytes), size_text(root), size_text(fixed)));
  }
  DiskLayout out;
  out.parts[0] = {kMarkOffset, kMiB};
  out.parts[1] = {2 * kMiB, start};
  out.parts[2] = {2 * kMiB + start, std::max(root, kMiB)};
  const uint64_t state = out.parts[2].offset + out.parts[2].bytes;
  out.parts[3] = {state, whole - kMiB - state};
  return out;
}

Result<GptBytes> partition_table(const DiskFacts& disk, const DiskLayout& layout,
                                 const std::array<Guid, 5>& ids) {
  std::vector<GptPartition> partitions;
  for (size_t i = 0; i < layout.parts.size(); ++i) {
    const Extent& extent = layout.parts.at(i);
    partitions.push_back({guid_from(kTypes.at(i)), ids.at(i + 1), extent.offset / disk.sector_bytes,
                          (extent.offset + extent.bytes) / disk.sector_bytes - 1, kLabels.at(i)});
  }
  return make_gpt(disk.bytes / disk.sector_bytes, disk.sector_bytes, ids.front(), partitions);
}

std::string partition_name(std::string_view disk, Part part) {
  const bool digit = !disk.empty() && disk.back() >= '0' && disk.back() <= '9';
  return fmt::format("{}{}{}", disk, digit ? "p" : "", static_cast<int>(part));
}

}  // namespace drover::nodeboot
