#include "boot/image/blob_store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace drover::boot::image {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kDigestDigits = 64;
constexpr uint32_t kFolderMode = 0755;
constexpr uint32_t kFileMode = 0644;

bool is_digest(std::string_view text) {
  return text.size() == kDigestDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Feeds a file to `each` in pieces; its size.
template <typename Each>
Result<uint64_t> read_through(File& file, ByteProgress& progress, Each each) {
  std::string piece(kPiece, '\0');
  uint64_t done = 0;
  for (;;) {
    DROVER_TRY(const size_t got, file.read(done, piece));
    if (got == 0) return done;
    DROVER_CHECK_OK(each(std::string_view(piece).substr(0, got)));
    done += got;
    if (progress) progress(done);
  }
}

Status no_such_blob(std::string_view sha256) {
  return fail(Code::not_found, fmt::format("there is no blob {} in the image folder", sha256));
}

}  // namespace

BlobWriter::~BlobWriter() {
  file_.reset();
  if (!path_.empty()) (void)store_.disk_.remove(path_);
}

Status BlobWriter::add(std::string_view bytes) {
  DROVER_CHECK_OK(file_->write(size_, bytes));
  digest_.add(bytes);
  size_ += bytes.size();
  return {};
}

Result<Blob> BlobWriter::finish(std::string_view expected) {
  const Blob blob{digest_.finish(), size_};
  if (!expected.empty() && blob.sha256 != expected) {
    return fail(Code::corrupt, fmt::format("expected the content {}, got {} ({} bytes)", expected,
                                           blob.sha256, blob.size));
  }
  DROVER_CHECK_OK(file_->sync());
  file_.reset();
  DROVER_CHECK_OK(store_.settle(path_, blob));
  path_.clear();
  return blob;
}

std::string BlobStore::path(std::string_view sha256) const {
  return fmt::format("{}/blobs/{}/{}", folder_, sha256.substr(0, 2), sha256);
}

Result<std::string> BlobStore::scratch_path() {
  const std::string folder = folder_ + "/tmp";
  DROVER_CHECK_OK(disk_.make_dirs(folder, kFolderMode));
  return fmt::format("{}/{}.part", folder, random_.hex(16));
}

Result<std::unique_ptr<BlobWriter>> BlobStore::writer() {
  DROVER_TRY(std::string path, scratch_path());
  DROVER_TRY(auto file, disk_.open(path, true, kFileMode));
  return std::unique_ptr<BlobWriter>(new BlobWriter(*this, std::move(path), std::move(file)));
}

Result<Blob> BlobStore::put(std::string_view bytes) {
  DROVER_TRY(const auto out, writer());
  DROVER_CHECK_OK(out->add(bytes));
  return out->finish();
}

Result<Blob> BlobStore::put_file(const std::string& path, ByteProgress progress) {
  DROVER_TRY(const auto from, disk_.open(path, false, 0));
  DROVER_TRY(const auto out, writer());
  DROVER_CHECK_OK(read_through(*from, progress,
                               [&](std::string_view piece) -> Status { return out->add(piece); }));
  return out->finish();
}

Result<Blob> BlobStore::adopt(const std::string& path, ByteProgress progress) {
  DROVER_TRY(const Blob blob, measure_file(disk_, path, std::move(progress)));
  DROVER_TRY(const auto file, disk_.open(path, false, 0));
  DROVER_CHECK_OK(file->sync());
  DROVER_CHECK_OK(settle(path, blob));
  return blob;
}

/// Gives a synced file the name of its content. Over one that is there already it changes nothing
/// but mends it, should it have rotted.
Status BlobStore::settle(const std::string& from, const Blob& blob) {
  const std::string to = path(blob.sha256);
  const std::string folder = to.substr(0, to.rfind('/'));
  DROVER_CHECK_OK(disk_.make_dirs(folder, kFolderMode));
  DROVER_CHECK_OK(disk_.rename(from, to));
  return disk_.sync_dir(folder);
}

Result<bool> BlobStore::has(std::string_view sha256) {
  if (!is_digest(sha256)) return false;
  return disk_.exists(path(sha256));
}

Status BlobStore::verify(std::string_view sha256, ByteProgress progress) {
  DROVER_TRY(const bool there, has(sha256));
  if (!there) return no_such_blob(sha256);
  DROVER_TRY(const Blob found, measure_file(disk_, path(sha256), std::move(progress)));
  if (found.sha256 == sha256) return {};
  return fail(Code::corrupt,
              fmt::format("the blob {} holds something else: {} bytes with the SHA-256 {}", sha256,
                          found.size, found.sha256),
              "import the image again, which mends it");
}

Result<std::vector<Blob>> BlobStore::list() {
  std::vector<Blob> out;
  const std::string root = folder_ + "/blobs";
  DROVER_TRY(const bool there, disk_.exists(root));
  if (!there) return out;
  DROVER_TRY(const auto folders, disk_.list(root));
  for (const std::string& folder : folders) {
    DROVER_TRY(const auto names, disk_.list(root + "/" + folder));
    for (const std::string& name : names) {
      if (!is_digest(name)) continue;
      DROVER_TRY(const auto file, disk_.open(path(name), false, 0));
      DROVER_TRY(const uint64_t size, file->size());
      out.push_back({name, size});
    }
  }
  return out;
}

Result<std::vector<Blob>> BlobStore::collect(const std::set<std::string>& keep, bool dry_run) {
  DROVER_TRY(std::vector<Blob> blobs, list());
  std::erase_if(blobs, [&](const Blob& blob) { return keep.contains(blob.sha256); });
  if (dry_run) return blobs;
  for (const Blob& blob : blobs) DROVER_CHECK_OK(disk_.remove(path(blob.sha256)));
  // Nobody imports now, so what lies here is of imports that were cut off.
  const std::string scratch = folder_ + "/tmp";
  DROVER_TRY(const bool there, disk_.exists(scratch));
  if (!there) return blobs;
  DROVER_TRY(const auto left, disk_.list(scratch));
  for (const std::string& name : left) {
    if (name.ends_with(".part")) DROVER_CHECK_OK(disk_.remove(scratch + "/" + name));
  }
  return blobs;
}

void BlobStore::find(const std::string& sha256, Found found) {
  auto body = net::open_file_body(path(sha256));
  if (!body && body.error().code == Code::not_found) {
    return found(tl::unexpected(no_such_blob(sha256).error()));
  }
  found(std::move(body));
}

Result<ImageLock> ImageLock::take(Disk& disk, const std::string& folder, Kind kind) {
  DROVER_CHECK_OK(disk.make_dirs(folder, kFolderMode));
  const std::string path = folder + "/lock";
  ImageLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (lock.fd_ < 0) return tl::unexpected(errno_error("open " + path, errno));
  struct flock range{};
  range.l_type = kind == Kind::shared ? F_RDLCK : F_WRLCK;
  range.l_whence = SEEK_SET;
  if (::fcntl(lock.fd_, F_OFD_SETLK, &range) == 0) return lock;
  if (errno != EAGAIN && errno != EACCES) return tl::unexpected(errno_error("lock " + path, errno));
  return fail(Code::conflict,
              kind == Kind::shared
                  ? "unused files are being removed from the image folder"
                  : "an image is being imported into the folder, or files are being removed",
              "try again when that is over");
}

ImageLock::~ImageLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Blob> measure_file(Disk& disk, const std::string& path, ByteProgress progress) {
  DROVER_TRY(const auto file, disk.open(path, false, 0));
  net::Sha256 digest;
  DROVER_TRY(const uint64_t size,
             read_through(*file, progress, [&](std::string_view piece) -> Status {
               digest.add(piece);
               return {};
             }));
  return Blob{digest.finish(), size};
}

}  // namespace drover::boot::image
