// drover-compute: the agent of a compute node, and its init where Drover has booted it.
#include "daemons/node_init.hpp"
#include "daemons/services.hpp"

#include <string_view>

#include <unistd.h>

int main(int argc, char** argv) {
  // In a container it may be the first process too, but there it is not called /init. What else the
  // kernel gives its init as arguments is not meant for it.
  if (getpid() == 1 && argc > 0 && std::string_view(argv[0]).ends_with("init")) {
    return drover::daemons::run_as_init();
  }
  return drover::daemons::run_program("compute", argc, argv, &drover::daemons::make_compute);
}
