// The mark of a disk that anybody may have written: it is read as it was meant, or it is none.
#include "fuzz.hpp"
#include "nodeboot/disk_mark.hpp"

DROVER_FUZZ_TARGET(input) {
  using drover::fuzz::require;
  const auto mark = drover::nodeboot::parse_mark(input);
  if (!mark) return;
  require(mark->cluster.size() == 64 && mark->root.size() == 64, "digests are whole");
  require(mark->start.empty() || mark->start.size() == 64, "the start's too");
  const std::string sector = drover::nodeboot::to_sector(*mark);
  require(sector.size() == drover::nodeboot::kMarkBytes, "a sector");
  require(drover::nodeboot::parse_mark(sector) == mark, "what was read is written the same");
}
