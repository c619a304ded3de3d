// Importing Warewulf's nodes.conf: see import_fuzz.hpp.
#include "import_fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  drover::fuzz::check_import(drover::cluster::import_warewulf(input));
}
