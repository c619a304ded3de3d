// A tree as squashfs, by mksquashfs: the same tree gives the same bytes.
#pragma once

#include "base/callback.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drover::boot::image {

struct SquashRequest {
  std::string tree;
  std::string output;                 ///< must not exist
  std::vector<std::string> excludes;  ///< wildcards, relative to the tree
  bool keep_identity = false;
  bool all_root = false;
  int level = 5;
  Callback<void(uint64_t written)> progress = {};
};

/// Blocks. Other file systems that are mounted below the tree stay out, as does what is in proc,
/// sys, dev, run, tmp and var/tmp. not_found when mksquashfs is not installed.
Status make_squashfs(Disk& disk, SquashRequest request);

/// Files of a squashfs by path ("/etc/hosts"), each with its type and permissions, owner, size and
/// time as one text; a link with where it leads.
Result<std::map<std::string, std::string>> list_squashfs(const std::string& squashfs);

/// Unpacks boot and the kernels' modules alone into `folder`, which must not exist.
Status unpack_kernels(const std::string& squashfs, const std::string& folder);

}  // namespace drover::boot::image
