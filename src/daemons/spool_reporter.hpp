// What a daemon tells the masters about its spool: nothing while records pass, the facts while they
// are stuck.
#pragma once

#include "base/result.hpp"
#include "tree/record_outbox.hpp"

#include <string>
#include <string_view>

namespace drover::daemons {

/// Decides per heartbeat whether there is something to tell. One thread.
class SpoolReporter {
 public:
  /// The encoded SpoolState for the next heartbeat, or "" when there is nothing to tell.
  std::string tell(const tree::RecordOutbox::Stats& stats);

 private:
  int clear_beats_ = 0;  ///< beats that have yet to tell that nothing waits any more
};

/// A SpoolState as a master takes it in.
struct ToldSpool {
  uint64_t records = 0;
  uint64_t bytes = 0;
  Duration oldest_age{};
};
/// corrupt for bytes that are no SpoolState.
Result<ToldSpool> read_spool(std::string_view bytes);

}  // namespace drover::daemons
