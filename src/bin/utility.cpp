// drover-utility.
#include "daemons/services.hpp"

int main(int argc, char** argv) {
  return drover::daemons::run_program("utility", argc, argv, &drover::daemons::make_utility);
}
