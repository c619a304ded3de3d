// The daemons as programs: settings in, a running service out.
#pragma once

#include "daemons/program.hpp"

#include <memory>

namespace drover::daemons {

Result<std::unique_ptr<Service>> make_aggregator(Program& program);

Result<std::unique_ptr<Service>> make_utility(Program& program);

Result<std::unique_ptr<Service>> make_boot(Program& program);

Result<std::unique_ptr<Service>> make_compute(Program& program);

Result<std::unique_ptr<Service>> make_master(Program& program);

}  // namespace drover::daemons
