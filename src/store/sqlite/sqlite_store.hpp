// Opening the embedded store: one SQLite database in write-ahead-log mode on a Disk.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

#include <memory>
#include <string>

namespace drover::store {

/// Opens or creates the database `path` (beside it lives `path`-wal) and its directories, brings
/// its schema up to date, and checks it when it was not closed in order. Blocks: for start-up. The
/// executor, the disk and the log's sink must outlive the store; the disk is used by the store's
/// worker thread.
///
/// Durability: WAL with synchronous=FULL, one sync per commit (sqlite.org/wal.html). Errors:
/// Code::conflict when another process has it open, Code::corrupt when it fails its check,
/// Code::unsupported when a newer Drover or another program wrote it.
Result<std::unique_ptr<Store>> open_sqlite(Executor& executor, Disk& disk, const Log& log,
                                           const std::string& path, StoreLimits limits);

}  // namespace drover::store
