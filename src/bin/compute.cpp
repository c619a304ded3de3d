// drover-compute.
#include "daemons/services.hpp"

int main(int argc, char** argv) {
  return drover::daemons::run_program(drover::daemons::compute_table(), argc, argv,
                                      &drover::daemons::make_compute);
}
