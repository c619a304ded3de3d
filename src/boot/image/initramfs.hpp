// Makes the one small first root that every node boots with: drover-compute as PID 1, the shared
// libraries it needs, the kernel modules that find the network and the image, and the two tools
// that make file systems. No shell, nothing that listens.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"
#include "boot/image/compress.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

/// A file of the caller's own in the first root.
struct ExtraFile {
  std::string path;  ///< in the archive, absolute
  std::string bytes;
  uint32_t permissions = 0644;
};

/// Folder of the tools in the archive; nodeboot/real_disks.cpp looks there.
inline constexpr std::string_view kTools = "/usr/lib/drover/tools";

struct InitramfsRequest {
  std::string agent;  ///< the program drover-compute on this host
  /// Folder with modules.dep, as /lib/modules/6.1.0-18-amd64; its last part is the kernel's
  /// version. Empty: no modules (a kernel that has all built in).
  std::string modules_dir;
  /// Names; those that the kernel does not have are left out and told in `missing_modules`.
  std::vector<std::string> modules = default_modules();
  /// Programs of this host that a node calls by kTools: they make the file systems of mode disk.
  /// Those that are not installed are left out and told in `missing_tools`.
  std::vector<std::string> tools = default_tools();
  std::vector<ExtraFile> extra = {};
  std::optional<Compression> compression = {};  ///< none given: the best for the kernel's version
  /// Where libraries are looked for after a program's own RUNPATH: what ld.so has built in, of
  /// Debian and of Red Hat.
  std::vector<std::string> library_dirs = default_library_dirs();

  /// Drivers of network cards and disks, and what an image root needs.
  static std::vector<std::string> default_modules();
  static std::vector<std::string> default_tools();
  static std::vector<std::string> default_library_dirs();
};

struct Initramfs {
  std::string bytes;                   ///< what the loader hands to the kernel
  std::string kernel_version;          ///< empty without modules
  uint64_t unpacked_bytes = 0;         ///< memory that it takes on the node
  std::vector<std::string> libraries;  ///< paths, sorted
  std::vector<std::string> modules;    ///< names, sorted
  /// Asked for, and neither a module of this kernel nor built in; sorted.
  std::vector<std::string> missing_modules;
  std::vector<std::string> missing_tools;  ///< paths, in the order of the request
};

/// Reads through `disk` and writes nothing. The same files give the same bytes. not_found names a
/// library and where it was looked for; errors of reading name the file.
Result<Initramfs> make_initramfs(Disk& disk, const InitramfsRequest& request);

}  // namespace drover::boot::image
