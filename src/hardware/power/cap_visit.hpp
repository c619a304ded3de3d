// The limits of one machine's power through its BMC by Redfish: read, or set and read back.
#pragma once

#include "cluster/hardware/power_cap.hpp"
#include "hardware/power/power_course.hpp"
#include "hardware/redfish/bmc_client.hpp"

#include <memory>
#include <string>

namespace drover::hardware {

class CapVisit final : public BmcVisit {
 public:
  using Done = Callback<void(Result<cluster::PowerCaps>)>;
  /// `system`: id of the machine among those of the BMC; empty: the only one. `wishes`: what to
  /// set; empty: only a look. `done` runs exactly once, never in here. Errors: those of the client;
  /// unsupported where nothing can be limited; not_found for a limit of another name;
  /// invalid_argument for watts that it does not take; conflict when the BMC took it and says
  /// otherwise. `client` and `executor` outlive it.
  CapVisit(Executor& executor, BmcClient& client, std::string system, cluster::CapWishes wishes,
           Done done);
  ~CapVisit() override;

 private:
  class Course;
  std::unique_ptr<Course> course_;
};

}  // namespace drover::hardware
