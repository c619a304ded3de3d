#include "daemons/replica/replica_file.hpp"

#include "base/crc32c.hpp"

#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using api::SnapshotLine;

constexpr uint32_t kFileMode = 0600;
constexpr uint32_t kDirMode = 0700;
constexpr size_t kMostBytes = size_t{4} << 30;
/// A log shorter than this is never worth a new snapshot.
constexpr uint64_t kLongLog = uint64_t{4} << 20;
constexpr size_t kChecksumDigits = 8;

void append_line(std::string& out, const SnapshotLine& line) {
  std::string text;
  append_json(text, line);
  out += fmt::format("{:08x} {}\n", crc32c(text), text);
}

/// Takes the first line off `text`; nothing when it is torn or spoiled.
std::optional<SnapshotLine> take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos || end < kChecksumDigits + 1) return std::nullopt;
  const std::string_view digits = text.substr(0, kChecksumDigits);
  const std::string_view body = text.substr(kChecksumDigits + 1, end - kChecksumDigits - 1);
  uint32_t told = 0;
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), told, 16);
  const bool is_number = error == std::errc{} && stop == digits.data() + digits.size();
  if (!is_number || told != crc32c(body)) return std::nullopt;
  auto line = decode_text<SnapshotLine>(body, Unknown::ignore);
  if (!line) return std::nullopt;
  text.remove_prefix(end + 1);
  return *std::move(line);
}

bool is_gone(const SnapshotLine& line) {
  return line.body.text == "null";
}

using Things = std::map<std::pair<std::string, std::string>, SnapshotLine>;

void put(Things& things, SnapshotLine line) {
  std::pair key{line.kind, line.key};
  if (is_gone(line)) {
    things.erase(key);
  } else {
    things.insert_or_assign(std::move(key), std::move(line));
  }
}

}  // namespace

ReplicaFile::ReplicaFile(Disk& disk, std::string dir) : disk_(disk), dir_(std::move(dir)) {}

// The name holds the generation: a crash between the new snapshot and the end of the old log leaves
// a log that belongs to nothing, and is ignored.
std::string ReplicaFile::log_path(uint64_t generation) const {
  return fmt::format("{}/changes.{}", dir_, generation);
}

bool ReplicaFile::is_long() const {
  return log_size_ > kLongLog && log_size_ > 2 * snapshot_size_;
}

Result<ReplicaFile::Content> ReplicaFile::load() {
  DROVER_CHECK_OK(disk_.make_dirs(dir_, kDirMode));
  Content out;
  const std::string path = dir_ + "/snapshot";
  DROVER_TRY(const bool there, disk_.exists(path));
  if (!there) return out;
  DROVER_TRY(const std::string snapshot, disk_.read_all(path, kMostBytes));
  snapshot_size_ = snapshot.size();
  Things things;
  bool complete = false;
  std::string_view rest = snapshot;
  while (auto line = take_line(rest)) {
    if (line->kind == api::kSnapshotEnd) {
      complete = true;
      out.sequence = line->revision;
      (void)std::from_chars(line->key.data(), line->key.data() + line->key.size(), generation_);
      break;
    }
    put(things, *std::move(line));
  }
  if (!complete) return Content{};
  DROVER_CHECK_OK(open_log());
  DROVER_TRY(const std::string log, disk_.read_all(log_path(generation_), kMostBytes));
  rest = log;
  while (auto line = take_line(rest)) {
    out.sequence = std::max(out.sequence, line->revision);
    put(things, *std::move(line));
  }
  log_size_ = log.size() - rest.size();
  DROVER_CHECK_OK(log_->truncate(log_size_));
  for (auto& [key, line] : things) out.things.push_back(std::move(line));
  return out;
}

Status ReplicaFile::open_log() {
  DROVER_TRY(log_, disk_.open(log_path(generation_), true, kFileMode));
  return disk_.sync_dir(dir_);
}

Status ReplicaFile::replace(const Content& content) {
  DROVER_CHECK_OK(disk_.make_dirs(dir_, kDirMode));
  const uint64_t before = generation_;
  std::string text;
  for (const SnapshotLine& line : content.things) append_line(text, line);
  append_line(text, {std::string(api::kSnapshotEnd), std::to_string(before + 1), content.sequence});
  // A log of that name is of a snapshot that never came to be.
  DROVER_CHECK_OK(disk_.remove(log_path(before + 1)));
  DROVER_CHECK_OK(disk_.write_atomic(dir_ + "/snapshot", text, kFileMode));
  generation_ = before + 1;
  log_size_ = 0;
  snapshot_size_ = text.size();
  DROVER_CHECK_OK(open_log());
  return disk_.remove(log_path(before));
}

Status ReplicaFile::append(std::span<const SnapshotLine> changes) {
  if (log_ == nullptr)
    return fail(Code::conflict, "there is no snapshot that these changes follow");
  std::string text;
  for (const SnapshotLine& line : changes) append_line(text, line);
  DROVER_CHECK_OK(log_->write(log_size_, text));
  DROVER_CHECK_OK(log_->sync());
  log_size_ += text.size();
  return {};
}

}  // namespace drover::daemons
