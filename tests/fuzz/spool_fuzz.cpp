// What a daemon tells of its spool in a heartbeat: any bytes are a report or an error.
#include "daemons/spool_reporter.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto told = drover::daemons::read_spool(input);
  if (told)
    drover::fuzz::require(told->oldest_age >= drover::Duration::zero(), "ages are positive");
}
