// The file that `drover backup` makes: a line that says so, a manifest, files, and a digest over
// all. Written and read in pieces, so that its size does not matter.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"
#include "net/sha256.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// The version of the format that this build writes; it reads this and every earlier one.
inline constexpr uint64_t kBackupFormat = 1;
/// Longest line of the format, in bytes, and most files in it.
inline constexpr size_t kMaxBackupLine = size_t{64} << 10;
inline constexpr size_t kMaxBackupFiles = 1000;

/// What a backup says about itself.
struct BackupManifest {
  static constexpr std::string_view kTypeName = "BackupManifest";
  uint64_t format = kBackupFormat;
  std::string cluster;  ///< id
  std::string master;   ///< name of the daemon that made it
  std::string version;  ///< of Drover
  WallTime time{};
  uint64_t head = 0;    ///< newest change in it
  std::string secrets;  ///< "plain": keys are in it as they are, so it is kept like a key
  void describe(Visitor& v);
};

/// One file in it; the name is relative to the master's folder for state: "ca/ca.key".
struct BackupEntry {
  static constexpr std::string_view kTypeName = "BackupEntry";
  std::string file;
  uint64_t bytes = 0;
  uint64_t offset = 0;  ///< of its first byte in the backup; not written
  void describe(Visitor& v);
};

/// Ok for a plain name, or one in one folder; nothing that leads out of the folder.
Status check_backup_name(std::string_view name);

/// Gives the bytes to send: start(), then for each file begin_file() and its bytes through data(),
/// then finish().
class BackupWriter {
 public:
  std::string start(const BackupManifest& manifest);
  std::string begin_file(const std::string& name, uint64_t bytes);
  std::string_view data(std::string_view bytes);
  std::string end_file();
  std::string finish();

 private:
  std::string line(std::string text);
  net::Sha256 digest_;
};

/// A backup that was read to its end and found whole.
struct BackupContents {
  BackupManifest manifest;
  std::vector<BackupEntry> files;
};
/// Reads all of `file`. corrupt when it is not a backup, is cut off or was changed; unsupported
/// when a newer Drover made it.
Result<BackupContents> read_backup(File& file);

}  // namespace drover::auth
