// The C callbacks of SQLite's VFS, each a short translation to one or two Disk or File calls.
#include "store/sqlite/disk_vfs.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/core.h>
#include <sqlite3.h>

namespace drover::store {
namespace {

constexpr uint32_t kFileMode = 0600;
constexpr uint64_t kNothing = std::numeric_limits<uint64_t>::max();
constexpr std::array<char, 32> kZeros{};  // a WAL header or frame header is invalid with these

/// SQLite writes its log in pieces of 24 bytes and a page; so many bytes of them become one write.
constexpr size_t kGather = size_t{256} << 10;

/// An open file of SQLite. Writes to the log that follow one another are gathered until something
/// else is done with it; nothing is promised of them before a sync anyway.
struct OpenFile {
  DiskVfs& vfs;
  std::unique_ptr<File> file;
  std::string path;
  bool write_ahead_log = false;
  bool name_is_new = false;           // its directory must be synced with it
  uint64_t unsynced_from = kNothing;  // lowest offset written since the last sync
  uint64_t gathered_at = 0;
  std::string gathered;

  Status write(uint64_t at, std::string_view bytes) {
    unsynced_from = std::min(unsynced_from, at);
    if (!write_ahead_log) return file->write(at, bytes);
    if (at != gathered_at + gathered.size() || gathered.size() + bytes.size() > kGather) {
      DROVER_CHECK_OK(flush());
      gathered_at = at;
    }
    gathered += bytes;
    return {};
  }
  /// What could not be written is forgotten: the transaction that wrote it fails.
  Status flush() {
    if (gathered.empty()) return {};
    Status done = file->write(gathered_at, gathered);
    gathered.clear();
    return done;
  }
};

/// What SQLite allocates and knows as its sqlite3_file.
struct Handle {
  sqlite3_file base;
  OpenFile* open;  // owned: made by open_file, deleted by close_file
};

OpenFile& open_of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file)->open;
}
DiskVfs& vfs_of(sqlite3_vfs* vfs) {
  return *static_cast<DiskVfs*>(vfs->pAppData);
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

int close_file(sqlite3_file* file) {
  auto* const handle = reinterpret_cast<Handle*>(file);
  const std::unique_ptr<OpenFile> gone(std::exchange(handle->open, nullptr));
  const Status done = gone->flush();
  return done ? SQLITE_OK : gone->vfs.note(done.error(), SQLITE_IOERR_WRITE);
}

int read_file(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  OpenFile& open = open_of(file);
  const std::span<char> bytes(static_cast<char*>(out), static_cast<size_t>(count));
  if (const Status done = open.flush(); !done) {
    return open.vfs.note(done.error(), SQLITE_IOERR_WRITE);
  }
  const auto got = open.file->read(static_cast<uint64_t>(offset), bytes);
  if (!got) return open.vfs.note(got.error(), SQLITE_IOERR_READ);
  if (*got == bytes.size()) return SQLITE_OK;
  std::ranges::fill(bytes.subspan(*got), '\0');  // SQLite relies on it
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* in, int count, sqlite3_int64 offset) {
  OpenFile& open = open_of(file);
  const Status done = open.write(static_cast<uint64_t>(offset),
                                 {static_cast<const char*>(in), static_cast<size_t>(count)});
  return done ? SQLITE_OK : open.vfs.note(done.error(), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  OpenFile& open = open_of(file);
  Status done = open.flush();
  if (done) done = open.file->truncate(static_cast<uint64_t>(size));
  return done ? SQLITE_OK : open.vfs.note(done.error(), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int /*flags*/) {
  OpenFile& open = open_of(file);
  Status done = open.flush();
  if (!done) return open.vfs.note(done.error(), SQLITE_IOERR_WRITE);
  done = open.file->sync();
  if (done && open.name_is_new) {
    done = open.vfs.disk().sync_dir(parent_of(open.path));
    open.name_is_new = !done;
  }
  if (done) {
    open.unsynced_from = kNothing;
    return SQLITE_OK;
  }
  // The transaction being committed will be reported as failed, but its frames are whole, and the
  // next start would take them for committed. This makes them invalid as far as still possible.
  if (open.write_ahead_log && open.unsynced_from != kNothing) {
    (void)open.file->write(open.unsynced_from, {kZeros.data(), kZeros.size()});
  }
  open.vfs.note_failed_sync(done.error());
  return open.vfs.note(done.error(), SQLITE_IOERR_FSYNC);
}

int size_of_file(sqlite3_file* file, sqlite3_int64* out) {
  OpenFile& open = open_of(file);
  if (const Status done = open.flush(); !done) {
    return open.vfs.note(done.error(), SQLITE_IOERR_WRITE);
  }
  const auto size = open.file->size();
  if (!size) return open.vfs.note(size.error(), SQLITE_IOERR_FSTAT);
  *out = static_cast<sqlite3_int64>(*size);
  return SQLITE_OK;
}

// There is one connection and the file was locked for it when it was opened.
int lock_file(sqlite3_file* /*file*/, int /*level*/) {
  return SQLITE_OK;
}
int check_reserved_lock(sqlite3_file* /*file*/, int* out) {
  *out = 0;
  return SQLITE_OK;
}
int file_control(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;
}
// As SQLite's own unix VFS says of every disk: a power cut in a write changes no byte beside it.
int device_characteristics(sqlite3_file* /*file*/) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}
int sector_size(sqlite3_file* /*file*/) {
  return 4096;
}

const sqlite3_io_methods kFileMethods = {
    .iVersion = 1,  // no shared memory: the wal-index lives on the heap (exclusive locking mode)
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

Result<std::unique_ptr<OpenFile>> open_on(DiskVfs& vfs, const std::string& path, int flags) {
  const bool create = (flags & SQLITE_OPEN_CREATE) != 0;
  DROVER_TRY(const bool there, vfs.disk().exists(path));
  DROVER_TRY(auto file, vfs.disk().open(path, create, kFileMode));
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) DROVER_CHECK_OK(file->lock());
  const bool write_ahead_log = (flags & SQLITE_OPEN_WAL) != 0;
  return std::make_unique<OpenFile>(
      OpenFile{vfs, std::move(file), path, write_ahead_log, !there, kNothing, 0, {}});
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  auto* const handle = reinterpret_cast<Handle*>(out);
  handle->base.pMethods = nullptr;              // SQLite closes only what has methods
  if (name == nullptr) return SQLITE_CANTOPEN;  // a temporary file: temp_store=MEMORY needs none
  auto opened = open_on(vfs_of(vfs), name, flags);
  if (!opened) return vfs_of(vfs).note(opened.error(), SQLITE_CANTOPEN);
  handle->open = opened->release();
  handle->base.pMethods = &kFileMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_dir) {
  Disk& disk = vfs_of(vfs).disk();
  Status done = disk.remove(name);
  if (done && sync_dir != 0) done = disk.sync_dir(parent_of(name));
  return done ? SQLITE_OK : vfs_of(vfs).note(done.error(), SQLITE_IOERR_DELETE);
}

int access_file(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* out) {
  const auto there = vfs_of(vfs).disk().exists(name);
  if (!there) return vfs_of(vfs).note(there.error(), SQLITE_IOERR_ACCESS);
  *out = *there ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* name, int size, char* out) {
  if (std::strlen(name) >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(out, name);  // NOLINT(clang-analyzer-security.insecureAPI.strcpy): checked above
  return SQLITE_OK;
}

// SQLite draws the salts of its log from its default VFS, whatever the connection's is; they decide
// nothing, so a simulated run stays the same without them. Nothing here asks for times.
int randomness(sqlite3_vfs* /*vfs*/, int count, char* out) {
  std::fill_n(out, count, '\0');
  return count;
}
int sleep_for(sqlite3_vfs* /*vfs*/, int /*microseconds*/) {
  return 0;
}
int current_time(sqlite3_vfs* /*vfs*/, double* out) {
  *out = 2440587.5;  // the Unix epoch as a Julian day
  return SQLITE_OK;
}
int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*out*/) {
  return 0;
}

}  // namespace

DiskVfs::DiskVfs(Disk& disk)
    : disk_(disk),
      name_(fmt::format("drover-{}", static_cast<const void*>(this))),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(Handle);
  vfs_->mxPathname = 4096;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  vfs_->xAccess = access_file;
  vfs_->xFullPathname = full_path;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = sleep_for;
  vfs_->xCurrentTime = current_time;
  vfs_->xGetLastError = last_error;
}

Result<std::unique_ptr<DiskVfs>> DiskVfs::make(Disk& disk) {
  std::unique_ptr<DiskVfs> made(new DiskVfs(disk));
  const int rc = sqlite3_vfs_register(made->vfs_.get(), 0);
  if (rc != SQLITE_OK) return fail(Code::internal, sqlite3_errstr(rc));
  return made;
}

DiskVfs::~DiskVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

std::optional<Error> DiskVfs::take_error() {
  return std::exchange(last_error_, std::nullopt);
}

int DiskVfs::note(const Error& error, int rc) {
  if (!last_error_) last_error_ = error;
  return error.code == Code::exhausted ? SQLITE_FULL : rc;
}

void DiskVfs::note_failed_sync(const Error& error) {
  if (!disk_failure_) disk_failure_ = error;
}

}  // namespace drover::store
