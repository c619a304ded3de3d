#include "api/bss/bss.hpp"

namespace drover::api {

void add_bss(Router& router, Services& services) {
  bss::add_boot_parameters(router, services);
  bss::add_boot_script(router, services);
  bss::add_service(router, services);
}

}  // namespace drover::api
