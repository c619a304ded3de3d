// The files that images are made of, each named by the SHA-256 of its content:
// FOLDER/blobs/ab/abcdef.. A blob is written under another name, synced and renamed, so that what
// has the name is whole; the same content is there once.
#pragma once

#include "base/callback.hpp"
#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "boot/io/boot_handler.hpp"
#include "net/sha256.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

/// Where images lie on a manager unless it is told otherwise.
inline constexpr std::string_view kImageFolder = "/var/lib/drover/images";

struct Blob {
  std::string sha256;  ///< 64 lower-case hex digits
  uint64_t size = 0;
  bool operator==(const Blob&) const = default;
};

/// Hears how many bytes are done, now and then.
using ByteProgress = Callback<void(uint64_t)>;

class BlobStore;

/// A blob on its way in. Dropped unfinished, it leaves nothing.
class BlobWriter {
 public:
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  ~BlobWriter();

  Status add(std::string_view bytes);
  /// Makes it durable under its name. With `expected` not empty, corrupt when the content has
  /// another digest, and nothing is kept.
  Result<Blob> finish(std::string_view expected = {});

 private:
  friend class BlobStore;
  BlobWriter(BlobStore& store, std::string path, std::unique_ptr<File> file)
      : store_(store), path_(std::move(path)), file_(std::move(file)) {}

  BlobStore& store_;
  std::string path_;
  std::unique_ptr<File> file_;
  net::Sha256 digest_;
  uint64_t size_ = 0;
};

/// Calls block; one thread at a time, any number of processes.
class BlobStore final : public BlobSource {
 public:
  /// `disk` and `random` outlive it. Makes nothing before something is written.
  BlobStore(Disk& disk, Random& random, std::string folder)
      : disk_(disk), random_(random), folder_(std::move(folder)) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Where the blob is, or would be.
  [[nodiscard]] std::string path(std::string_view sha256) const;
  /// A name for a file that a tool writes; adopt() takes it.
  Result<std::string> scratch_path();

  Result<std::unique_ptr<BlobWriter>> writer();
  Result<Blob> put(std::string_view bytes);
  /// Copies a file in.
  Result<Blob> put_file(const std::string& path, ByteProgress progress = {});
  /// Takes over a file of scratch_path(): nothing is copied.
  Result<Blob> adopt(const std::string& path, ByteProgress progress = {});

  Result<bool> has(std::string_view sha256);
  /// not_found for a missing blob; corrupt, naming it, when its content is not what its name says.
  Status verify(std::string_view sha256, ByteProgress progress = {});
  /// Every blob, sorted.
  Result<std::vector<Blob>> list();
  /// Removes every blob that is not in `keep`, and what broken imports left; with `dry_run` it only
  /// tells what. To be called under an exclusive ImageLock.
  Result<std::vector<Blob>> collect(const std::set<std::string>& keep, bool dry_run);

  /// For the HTTP boot service: at once. not_found for a missing blob.
  void find(const std::string& sha256, Found found) override;

 private:
  friend class BlobWriter;
  Status settle(const std::string& from, const Blob& blob);

  Disk& disk_;
  Random& random_;
  std::string folder_;
};

/// Who works in an image folder: imports share it, a collection has it alone. Goes with the process
/// that holds it.
class ImageLock {
 public:
  enum class Kind { shared, exclusive };
  /// Makes the folder. conflict, at once, when an import or a collection stands in the way.
  static Result<ImageLock> take(Disk& disk, const std::string& folder, Kind kind);
  ImageLock(ImageLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ImageLock(const ImageLock&) = delete;
  ImageLock& operator=(const ImageLock&) = delete;
  ~ImageLock();

 private:
  explicit ImageLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Digest and size of a file.
Result<Blob> measure_file(Disk& disk, const std::string& path, ByteProgress progress = {});

}  // namespace drover::boot::image
