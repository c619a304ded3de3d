// Steps on the running machine: modules and mounts by system calls, commands as programs.
#pragma once

#include "base/disk.hpp"
#include "daemons/nodeup/file_keeper.hpp"
#include "daemons/nodeup/step_host.hpp"

#include <atomic>
#include <string>
#include <vector>

namespace drover::daemons {

/// One worker's thread at a time.
class RealStepHost final : public StepHost {
 public:
  /// `state`: the agent's folder, where the manifest of placed files is. `node`: for the
  /// environment of commands.
  RealStepHost(Disk& disk, const std::string& state, std::string node)
      : files_(disk, state), node_(std::move(node)) {}

  cluster::StepResult run(const cluster::Step& step) override;
  /// Ends the step that is under way; any thread.
  void cancel() override { cancel_ = true; }
  Result<cluster::FilesResult> place(const std::vector<cluster::OrderedFile>& files) override {
    return files_.apply(files);
  }

 private:
  FileKeeper files_;
  std::string node_;
  std::atomic<bool> cancel_ = false;
};

/// The flags and the rest of a mount's options, as mount(2) takes them. For tests.
struct MountOptions {
  unsigned long flags = 0;
  std::string data;
};
MountOptions parse_mount_options(std::string_view options);

}  // namespace drover::daemons
