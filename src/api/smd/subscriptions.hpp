// SMD's /Subscriptions/SCN: who is told of changes of components (notifier.hpp tells them).
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api::smd {

void add_subscriptions(Router& router, Services& services);

}  // namespace drover::api::smd
