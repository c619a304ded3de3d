// drover-compute.
#include "daemons/services.hpp"

int main(int argc, char** argv) {
  return drover::daemons::run_program("compute", argc, argv, &drover::daemons::make_compute);
}
