// A small JSON file beside the database.
#include "auth/restore_note.hpp"

namespace drover::auth {
namespace {

constexpr size_t kMostBytes = size_t{64} << 10;

std::string path_of(const std::string& state) {
  return state + "/" + std::string(kRestoreNoteFile);
}

}  // namespace

void RestoreNote::describe(Visitor& v) {
  v.field("id", id, "Id of this restore.");
  v.field("restored", restored, "When it was laid out.");
  v.field("by", by, "Who did it.");
  v.field("host", host, "Where.");
  v.field("file", file, "Name of the backup.");
  v.field("backup", backup, "When the backup was made.");
  v.field("master", master, "Which master made the backup.");
  v.field("version", version, "Which Drover made the backup.");
  v.field("head", head, "Newest change that is in the backup.");
}

Status write_restore_note(Disk& disk, const std::string& state, const RestoreNote& note) {
  return disk.write_atomic(path_of(state), encode(note) + "\n", 0600);
}

Result<std::optional<RestoreNote>> read_restore_note(Disk& disk, const std::string& state) {
  DROVER_TRY(const bool there, disk.exists(path_of(state)));
  if (!there) return std::nullopt;
  DROVER_TRY(const std::string text, disk.read_all(path_of(state), kMostBytes));
  auto note = decode_text<RestoreNote>(text, Unknown::ignore);
  if (!note) return fail_in(path_of(state), std::move(note).error());
  return *std::move(note);
}

Status remove_restore_note(Disk& disk, const std::string& state) {
  DROVER_CHECK_OK(disk.remove(path_of(state)));
  return disk.sync_dir(state);
}

}  // namespace drover::auth
