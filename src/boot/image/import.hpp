// Makes an image's files from what there is: a folder (a chroot, or the running system), a tar
// archive, a squashfs, or a kernel alone (lean). The kernel and its modules are found by
// themselves, the first root is Drover's own.
#pragma once

#include "base/callback.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"
#include "boot/image/blob_store.hpp"
#include "boot/image/initramfs.hpp"
#include "cluster/image.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

/// What is imported.
enum class SourceKind : uint8_t {
  lean,      ///< a kernel alone
  folder,    ///< a root file system in a folder
  tar,       ///< the same in an archive, packed in any way that tar(1) knows
  squashfs,  ///< the same, packed already
  oci,       ///< an image of containers: an OCI layout, in a folder or an uncompressed tar
};
std::span<const std::string_view> enum_names(SourceKind);

/// By what lies at `path`; empty: lean. not_found, or unsupported for a file of another kind.
Result<SourceKind> detect_source(Disk& disk, const std::string& path);

struct ImportRequest {
  std::string source;          ///< path; empty: a lean image
  std::string kernel;          ///< a kernel file of this host; empty: found in the source
  std::string modules;         ///< its folder of modules; empty: found beside the kernel
  std::string kernel_version;  ///< of several kernels in the source; empty: the newest
  std::string tag;             ///< of several images in an OCI layout
  std::string agent;           ///< the program drover-compute of this host
  std::vector<std::string> extra_modules;  ///< beside InitramfsRequest::default_modules()
  std::vector<std::string> initrds;        ///< files that are loaded behind Drover's own
  std::vector<std::string> excludes;       ///< wildcards, relative to the root
  /// Keep what makes a machine one of its kind: machine-id, host keys of SSH, the random seed.
  bool keep_identity = false;
  bool all_root = false;  ///< everything belongs to root, for who may not read owners
  int level = 5;          ///< of zstd, 1 to 22
};

/// What an import tells while it runs: a step in words, then bytes of it (total 0: not known).
struct ImportEvents {
  Callback<void(std::string_view step)> step = {};
  Callback<void(uint64_t done, uint64_t total)> bytes = {};
};

/// What came of it.
struct Imported {
  cluster::ImageVersion version;  ///< with its digest
  SourceKind kind = SourceKind::lean;
  std::vector<std::string> notes;  ///< what is worth knowing, one line each
};

/// Puts the files into `blobs` and gives the version that names them; registering it is the
/// caller's. Blocks for as long as packing takes; runs tar, mksquashfs and unsquashfs, whose errors
/// it gives back. The same tree, with its times, gives the same digest. Hold a shared ImageLock
/// until the image is registered.
Result<Imported> import_image(Disk& disk, BlobStore& blobs, const ImportRequest& request,
                              ImportEvents& events, WallTime now);

}  // namespace drover::boot::image
