// OpenCHAMI's Boot Script Service (BSS, /boot/v1) as views of the one model: each function adds the
// routes of one file. What maps to what: docs/openchami.md.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

#include <string_view>

namespace drover::api {

/// Everything below; called by MasterApi.
void add_bss(Router& router, Services& services);

namespace bss {

/// Everything below has the manners of SMD's routes (Dialect::smd).
inline constexpr std::string_view kPrefix = "/boot/v1/";

void add_boot_parameters(Router& router, Services& services);
void add_boot_script(Router& router, Services& services);
void add_service(Router& router, Services& services);

}  // namespace bss
}  // namespace drover::api
