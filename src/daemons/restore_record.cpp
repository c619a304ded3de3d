// The note goes only after the change is safe in the database.
#include "daemons/restore_record.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

std::string principal_of(const auth::RestoreNote& note) {
  return "user:" + (note.by.empty() ? std::string("unknown") : note.by);
}

std::string reason_of(const auth::RestoreNote& note) {
  return fmt::format("restored from {}, which master {} wrote at {}, up to change {}", note.file,
                     note.master, to_rfc3339(note.backup), note.head);
}

}  // namespace

auth::AuditRecord audit_of(const auth::RestoreNote& note, const std::string& daemon) {
  auth::AuditRecord out;
  out.time = note.restored;
  out.principal = principal_of(note);
  out.daemon = daemon;
  out.address = note.host;
  out.method = "RESTORE";
  out.target = note.file;
  out.outcome = "done";
  return out;
}

void record_restore(Disk& disk, const std::string& state, store::Store& store, const Log& log,
                    Callback<void(const auth::RestoreNote&)> recorded) {
  const auto note = auth::read_restore_note(disk, state);
  if (!note) {
    return log.error("the note of a restore cannot be read", {{"why", note.error().text()}});
  }
  if (!*note) return;
  const auto is_new = std::make_shared<bool>(false);
  store.write(
      {principal_of(**note), fmt::format("drover restore on {}", (*note)->host)},
      [note = **note, is_new](store::Transaction& tx) -> Status {
        DROVER_TRY(const auto known, tx.get(auth::kRestoreKind, note.id));
        *is_new = !known;
        if (known) return {};
        tx.explain(reason_of(note));
        DROVER_CHECK_OK(tx.put(auth::kRestoreKind, note.id, encode(note)));
        return {};
      },
      [note = **note, is_new, &disk, state, log,
       recorded = std::move(recorded)](const Result<store::Committed>& done) mutable {
        if (!done) {
          return log.error("a restore could not be recorded; the next start tries again",
                           {{"why", done.error().text()}});
        }
        if (*is_new) {
          log.notice(reason_of(note), {{"by", note.by}, {"host", note.host}});
          recorded(note);
        }
        if (const Status gone = auth::remove_restore_note(disk, state); !gone) {
          log.error("the note of a restore could not be removed", {{"why", gone.error().text()}});
        }
      });
}

}  // namespace drover::daemons
