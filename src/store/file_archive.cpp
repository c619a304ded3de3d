// Lines first, synced; the store's mark after them; what lies behind the mark is cut off.
#include "store/file_archive.hpp"

#include "base/clock.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::store {
namespace {

/// A change as a line of the archive.
struct ArchivedChange {
  static constexpr std::string_view kTypeName = "ArchivedChange";
  uint64_t sequence = 0;
  WallTime time{};
  std::string actor;
  std::string via;
  std::string kind;
  std::string key;
  RawJson before;
  RawJson after;
  std::string why;
  void describe(Visitor& v) {
    v.field("sequence", sequence, "");
    v.field("time", time, "");
    v.field("actor", actor, "");
    v.field("via", via, "");
    v.field("kind", kind, "");
    v.field("key", key, "");
    v.field("before", before, "");
    v.field("after", after, "");
    v.field("why", why, "");
  }
};

/// In JSON a line break is white space.
RawJson on_one_line(const std::optional<std::string>& body) {
  RawJson out;
  if (!body) return out;
  out.text = *body;
  std::ranges::replace(out.text, '\n', ' ');
  return out;
}

std::string line_of(const Change& change) {
  ArchivedChange line{change.sequence,
                      from_unix_ms(change.time_ms),
                      change.actor,
                      change.via,
                      change.kind,
                      change.key,
                      on_one_line(change.before),
                      on_one_line(change.after),
                      change.why};
  return encode(line) + "\n";
}

}  // namespace

void ArchiveMark::describe(Visitor& v) {
  v.field("file", file, "Name of the newest file.");
  v.field("bytes", bytes, "Its length.");
  v.field("through", through, "Sequence of its last change.");
}

std::string FileArchive::file_name(uint64_t first_sequence) {
  return fmt::format("changes-{:012}.jsonl", first_sequence);
}

Result<std::string> FileArchive::append(std::span<const Change> changes, std::string_view mark) {
  auto done = try_append(changes, mark);
  if (done) return done;
  known_ = false;  // after a failure nothing is known of the file: look again
  file_.reset();
  return fail_in("archiving old changes in " + dir_, std::move(done).error());
}

Result<std::string> FileArchive::try_append(std::span<const Change> changes,
                                            std::string_view mark) {
  if (!known_ || mark != mark_) DROVER_CHECK_OK(recover(mark));
  if (changes.empty()) return std::string(mark);
  if (changes.front().sequence <= at_.through) {
    return fail(Code::corrupt, fmt::format("change {} is in the archive already, which goes to {}",
                                           changes.front().sequence, at_.through));
  }
  std::string lines;
  for (const Change& change : changes) lines += line_of(change);
  const bool full = at_.bytes > 0 && at_.bytes + lines.size() > max_file_bytes_;
  if (!file_ || full) DROVER_CHECK_OK(begin_file(changes.front().sequence));
  known_ = false;
  DROVER_CHECK_OK(file_->write(at_.bytes, lines));
  DROVER_CHECK_OK(file_->sync());
  at_.bytes += lines.size();
  at_.through = changes.back().sequence;
  mark_ = encode(at_);
  known_ = true;
  return mark_;
}

Status FileArchive::recover(std::string_view mark) {
  at_ = {};
  file_.reset();
  DROVER_CHECK_OK(disk_.make_dirs(dir_, 0700));
  if (!mark.empty()) {
    DROVER_TRY(at_, decode_text<ArchiveMark>(mark, Unknown::ignore));
    DROVER_CHECK_OK(reopen());
  }
  // A file that was begun behind the mark holds nothing that the store has let go.
  const std::string next = file_name(at_.through + 1);
  DROVER_TRY(const bool begun, disk_.exists(path(next)));
  if (begun && next != at_.file) {
    DROVER_CHECK_OK(disk_.remove(path(next)));
    DROVER_CHECK_OK(disk_.sync_dir(dir_));
  }
  mark_ = mark;
  known_ = true;
  return {};
}

Status FileArchive::reopen() {
  DROVER_TRY(const bool there, disk_.exists(path(at_.file)));
  if (!there) {  // somebody took it away: the next change begins a new one
    at_.bytes = 0;
    return {};
  }
  DROVER_TRY(auto file, disk_.open(path(at_.file), false, 0600));
  DROVER_TRY(const uint64_t size, file->size());
  if (size < at_.bytes) {
    log_.error("the archive of changes is shorter than it was; its end is lost",
               {{"file", path(at_.file)},
                {"bytes", std::to_string(size)},
                {"expected", std::to_string(at_.bytes)}});
    at_.bytes = 0;
    return {};
  }
  if (size > at_.bytes) {
    DROVER_CHECK_OK(file->truncate(at_.bytes));
    DROVER_CHECK_OK(file->sync());
  }
  file_ = std::move(file);
  return {};
}

Status FileArchive::begin_file(uint64_t first_sequence) {
  file_.reset();
  at_.file = file_name(first_sequence);
  at_.bytes = 0;
  DROVER_TRY(file_, disk_.open(path(at_.file), true, 0600));
  DROVER_CHECK_OK(file_->truncate(0));
  return disk_.sync_dir(dir_);
}

}  // namespace drover::store
