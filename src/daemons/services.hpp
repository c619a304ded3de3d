// The daemons as programs: settings in, a running service out.
#pragma once

#include "base/config.hpp"
#include "daemons/program.hpp"

#include <memory>

namespace drover::daemons {

ConfigTable aggregator_table();
Result<std::unique_ptr<Service>> make_aggregator(Program& program);

ConfigTable utility_table();
Result<std::unique_ptr<Service>> make_utility(Program& program);

ConfigTable compute_table();
Result<std::unique_ptr<Service>> make_compute(Program& program);

ConfigTable master_table();
Result<std::unique_ptr<Service>> make_master(Program& program);

}  // namespace drover::daemons
