// Finds the kernel and its modules in a tree that an image is made of, and what machines it is for.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

struct FoundKernel {
  std::string version;      ///< "6.1.0-56-cloud-amd64"
  std::string path;         ///< of its file on this host
  std::string modules_dir;  ///< on this host; empty: the tree has none for it
};

/// Kernels in TREE/boot/vmlinuz-VERSION and TREE/usr/lib/modules/VERSION/vmlinuz (also in
/// lib/modules), the newest first. A link that leads out of the tree is denied: what it points at
/// would be served to whoever asks.
Result<std::vector<FoundKernel>> find_kernels(const std::string& tree);

/// The one with that version, or the newest with modules (else the newest). not_found lists what
/// there is.
Result<FoundKernel> choose_kernel(const std::vector<FoundKernel>& kernels, std::string_view version,
                                  std::string_view tree);

/// `path` and every module below it lie within `tree`, links followed; denied otherwise.
Status check_inside(const std::string& tree, const std::string& path);

/// What a kernel file is for, from its first bytes (4 KiB are enough): x86_64, aarch64, riscv64 or
/// ppc64le. invalid_argument when it is no Linux kernel.
Result<std::string> kernel_arch(std::string_view head);
/// The release that an x86 kernel names in its header (Documentation/x86/boot.rst,
/// kernel_version); empty when it names none.
std::string kernel_release(std::string_view head);

}  // namespace drover::boot::image
