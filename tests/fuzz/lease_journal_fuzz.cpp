// The journal of leases as a disk gives it back, whatever happened to it: what is read is written
// and read again the same.
#include "boot/io/lease_journal.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  using namespace drover::boot::io;  // NOLINT(google-build-using-namespace): one program
  const LeasesRead read = read_leases(input);
  drover::fuzz::require(read.bad_bytes <= input.size(), "no more bytes than there are");
  std::string again;
  for (const auto& lease : read.leases) write_lease(again, lease);
  const LeasesRead second = read_leases(again);
  drover::fuzz::require(second.bad_bytes == 0, "what was written is whole");
  drover::fuzz::require(second.leases == read.leases, "and the same");
}
