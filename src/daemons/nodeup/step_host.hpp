// What an agent does to its machine for an order: the seam between the sequence of a run and the
// system calls. Real form: RealStepHost.
#pragma once

#include "cluster/content/node_up.hpp"

#include <vector>

namespace drover::daemons {

/// Every call blocks: on a worker, one at a time.
class StepHost {
 public:
  StepHost() = default;
  StepHost(const StepHost&) = delete;
  StepHost& operator=(const StepHost&) = delete;
  virtual ~StepHost() = default;

  /// Takes one step, for its timeout at most.
  virtual cluster::StepResult run(const cluster::Step& step) = 0;
  /// Ends the step that is under way, as if it took too long; any thread.
  virtual void cancel() {}
  virtual Result<cluster::FilesResult> place(const std::vector<cluster::OrderedFile>& files) = 0;
};

}  // namespace drover::daemons
