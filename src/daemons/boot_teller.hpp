// On a node that Drover booted the agent goes on telling drover-boot what the boot began to tell:
// the kernel's messages, and that the node is up.
#pragma once

#include "daemons/program.hpp"
#include "nodeboot/log_forwarder.hpp"

#include <memory>

namespace drover::daemons {

/// Executor's thread only.
class BootTeller {
 public:
  /// Null when this host was not booted so: its state folder has no file of nodeboot's. An error
  /// of the network's is told in the log and is no reason not to run.
  static Result<std::unique_ptr<BootTeller>> make(Program& program);
  ~BootTeller();

  /// The agent has its way up; the first time is told.
  void linked();

 private:
  BootTeller(Program& program, std::unique_ptr<nodeboot::BootClient> client, os::KernelLog log,
             const std::string& secret);

  std::unique_ptr<nodeboot::BootClient> client_;
  nodeboot::LogForwarder log_;
  bool told_ = false;
};

}  // namespace drover::daemons
