// drover-boot.
#include "daemons/services.hpp"

int main(int argc, char** argv) {
  return drover::daemons::run_program("boot", argc, argv, &drover::daemons::make_boot);
}
