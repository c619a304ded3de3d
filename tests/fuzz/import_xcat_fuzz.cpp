// Importing xCAT's stanzas: see import_fuzz.hpp.
#include "import_fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  drover::fuzz::check_import(drover::cluster::import_xcat(input));
}
