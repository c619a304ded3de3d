#include "daemons/real_host_facts.hpp"

#include "os/host/inventory.hpp"

#include <malloc.h>

namespace drover::daemons {

RealHostFacts::RealHostFacts(Executor& executor, StepHost* steps, std::string state)
    : steps_(steps),
      state_(std::move(state)),
      source_(os::HostMetricsOptions{}),
      collector_(executor, source_) {
  collector_.start();
}

Result<std::string> RealHostFacts::read_inventory() {
  DROVER_TRY(const auto parts, os::read_inventory(os::HostRoot()));
  std::string text = os::encode_inventory(parts);
  // hwloc's and the readers' memory goes back at once: the agent must stay small beside the jobs.
  malloc_trim(0);
  return text;
}

}  // namespace drover::daemons
