// FileArchive: forgotten changes as lines of JSON in files of one folder, each exactly once.
// docs/decisions/ has the page on why it is done with a mark in the store.
#pragma once

#include "base/describe.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace drover::store {

/// How far the archive goes: what the store keeps as the mark, as JSON.
struct ArchiveMark {
  static constexpr std::string_view kTypeName = "ArchiveMark";
  std::string file;      ///< name of the newest file
  uint64_t bytes = 0;    ///< its length
  uint64_t through = 0;  ///< sequence of its last change
  bool operator==(const ArchiveMark&) const = default;
  void describe(Visitor& v);
};

/// Writes DIR/changes-000000000042.jsonl, named by the first sequence in it; a new file is begun
/// when the last has `max_file_bytes`. Files that are not the newest are never touched again and
/// may be compressed or moved. A line has the fields sequence, time (RFC 3339), actor, via, kind,
/// key, before, after (null: it was not there) and why.
///
/// A crash between writing lines and committing the mark leaves lines too many, or a file too many:
/// the next append() cuts them off. A file that is shorter than the mark says lost what was synced:
/// that is logged, and a new file is begun. Used on the store's worker alone.
class FileArchive final : public ChangeArchive {
 public:
  /// `disk` and the log's sink outlive it.
  FileArchive(Disk& disk, Log log, std::string dir, uint64_t max_file_bytes = uint64_t{32} << 20)
      : disk_(disk), log_(std::move(log)), dir_(std::move(dir)), max_file_bytes_(max_file_bytes) {}

  Result<std::string> append(std::span<const Change> changes, std::string_view mark) override;

  /// "changes-000000000042.jsonl".
  static std::string file_name(uint64_t first_sequence);

 private:
  Result<std::string> try_append(std::span<const Change> changes, std::string_view mark);
  Status recover(std::string_view mark);
  Status reopen();
  Status begin_file(uint64_t first_sequence);
  [[nodiscard]] std::string path(const std::string& name) const { return dir_ + "/" + name; }

  Disk& disk_;
  Log log_;
  std::string dir_;
  uint64_t max_file_bytes_;
  bool known_ = false;  ///< what follows is so on the disk
  std::string mark_;    ///< of what follows
  ArchiveMark at_;
  std::unique_ptr<File> file_;  ///< null: the next change begins a file
};

}  // namespace drover::store
