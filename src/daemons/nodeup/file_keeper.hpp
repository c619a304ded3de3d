// The files that a node was given: what is new is written, what is gone is removed, the rest is
// left alone.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"
#include "cluster/content/node_up.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::daemons {

/// Remembers in `state`/overlay what it has put where, so that it finds all of it again after any
/// crash: a path is noted before its file is written. Blocks; one thread at a time.
class FileKeeper {
 public:
  /// `root` stands before every path: "" but in tests.
  FileKeeper(Disk& disk, std::string state, std::string root = "")
      : disk_(disk), path_(std::move(state) + "/overlay"), root_(std::move(root)) {}

  /// Makes the node have these files of ours and no others. What fails is in the result's problems
  /// and is tried again the next time. io when the manifest cannot be kept: then nothing was done.
  Result<cluster::FilesResult> apply(const std::vector<cluster::OrderedFile>& files);

 private:
  using Manifest = std::map<std::string, std::string>;  ///< path to what was written, "" unsure
  Result<Manifest> load();
  Status save(const Manifest& manifest);

  Disk& disk_;
  std::string path_;
  std::string root_;
};

}  // namespace drover::daemons
