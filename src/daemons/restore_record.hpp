// A master that starts on a restored folder says so once: in the change log, and in the audit.
#pragma once

#include "auth/audit.hpp"
#include "auth/restore_note.hpp"
#include "base/callback.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

#include <string>

namespace drover::daemons {

/// Takes the note that `drover restore` left in `state`, if there is one: a `restore` object in the
/// store whose change says who restored which backup, then the note goes. A master that dies in
/// between finds the object and only takes the note away. `recorded` is called when the change was
/// written now. Failures are logged; the master runs all the same. `disk` and `store` outlive the
/// mutation; executor's thread only.
void record_restore(Disk& disk, const std::string& state, store::Store& store, const Log& log,
                    Callback<void(const auth::RestoreNote&)> recorded);

/// The same for the audit of the daemon "master/m1".
auth::AuditRecord audit_of(const auth::RestoreNote& note, const std::string& daemon);

}  // namespace drover::daemons
