// What OpenCHAMI's cloud-init server says of itself.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

/// GET /cloud-init/version and /cloud-init/openapi.json. `local` outlives the router.
void add_openchami_service(Router& router, LocalSource& local);

}  // namespace drover::api
