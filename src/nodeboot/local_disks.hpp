// The seam between a boot in mode disk and the disks of its machine. Real form:
// nodeboot/real_disks. The tests have one in memory.
#pragma once

#include "nodeboot/disk_layout.hpp"
#include "nodeboot/image_fetch.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::nodeboot {

/// Something that is read from its beginning to its end.
class ByteReader {
 public:
  ByteReader() = default;
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;
  virtual ~ByteReader() = default;
  /// Up to out.size() bytes; 0 at the end.
  virtual Result<size_t> read(std::span<char> out) = 0;
};

/// Every call may block for as long as the hardware takes. One thread.
class LocalDisks {
 public:
  LocalDisks() = default;
  LocalDisks(const LocalDisks&) = delete;
  LocalDisks& operator=(const LocalDisks&) = delete;
  virtual ~LocalDisks() = default;

  /// The disks that are there, by name, each with what it holds.
  virtual Result<std::vector<DiskFacts>> look() = 0;
  /// Whether the firmware is UEFI: it boots the disk's start partition.
  virtual bool starts_by_uefi() = 0;
  /// Writes the mark first, then the partition table and empty file systems: whatever the disk held
  /// is gone, and a power cut at any time leaves a disk that is known as Drover's and unfinished.
  virtual Status format(const DiskFacts& disk, const DiskLayout& layout, const DiskMark& mark) = 0;
  /// Onto the root partition.
  virtual std::unique_ptr<ImageSink> root_sink(const DiskFacts& disk) = 0;
  virtual Result<std::unique_ptr<ByteReader>> root_reader(const DiskFacts& disk) = 0;
  /// Replaces the mark once all that was written before is safe.
  virtual Status write_mark(const DiskFacts& disk, const DiskMark& mark) = 0;

  /// Mounts the start partition for the calls that follow; a damaged one is made anew.
  virtual Status open_start(const DiskFacts& disk) = 0;
  /// A file there, with the folders above it.
  virtual std::unique_ptr<ImageSink> start_sink(const std::string& path) = 0;
  virtual Status write_start(const std::string& path, std::string_view text) = 0;
  /// Removes the files of /drover whose paths are not among `keep`.
  virtual Status tidy_start(const std::vector<std::string>& keep) = 0;
  /// Makes all of it safe and unmounts; after a failure as well.
  virtual Status close_start() = 0;

  /// Makes the image, with what the node has written on top of it, the machine's next root, below
  /// `at`. A state partition that cannot be mounted is made anew, and said so.
  virtual Status mount(const DiskFacts& disk, const std::string& at) = 0;
  /// What the node's last boot kept on the state partition, which is mounted; not_found.
  virtual Result<std::string> kept(const std::string& name) = 0;
  /// As one step; root alone reads it.
  virtual Status keep(const std::string& name, std::string_view text) = 0;
};

}  // namespace drover::nodeboot
