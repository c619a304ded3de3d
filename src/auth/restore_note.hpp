// What `drover restore` leaves in the folder that it lays out, for the master that starts on it:
// who restored which backup, and when.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::auth {

/// Kind of the object that stays in the store; its key is the note's id.
inline constexpr std::string_view kRestoreKind = "restore";
/// The note's name in the master's folder for state.
inline constexpr std::string_view kRestoreNoteFile = "restored";

struct RestoreNote {
  static constexpr std::string_view kTypeName = "RestoreNote";
  std::string id;       ///< random, so that a note counts once however often it is read
  WallTime restored{};  ///< when the folder was laid out
  std::string by;       ///< login name of who did
  std::string host;     ///< where
  std::string file;     ///< which backup, as it was named
  WallTime backup{};    ///< when that was made
  std::string master;   ///< by which master
  std::string version;  ///< and which Drover
  uint64_t head = 0;    ///< newest change in it
  void describe(Visitor& v);
};

/// Durable when it returns.
Status write_restore_note(Disk& disk, const std::string& state, const RestoreNote& note);
/// Nothing where the folder was not restored, or the note has been taken.
Result<std::optional<RestoreNote>> read_restore_note(Disk& disk, const std::string& state);
/// Once it is in the store. Durable when it returns.
Status remove_restore_note(Disk& disk, const std::string& state);

}  // namespace drover::auth
