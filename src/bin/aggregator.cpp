// drover-aggregator.
#include "daemons/services.hpp"

int main(int argc, char** argv) {
  return drover::daemons::run_program("aggregator", argc, argv, &drover::daemons::make_aggregator);
}
