// The routes of consoles: who is at which, being at one, and what each said.
#pragma once

#include "api/router.hpp"
#include "api/services.hpp"

namespace drover::api {

/// Being at a console, and the list of them.
void add_consoles(Router& router, Services& services);
/// What consoles said: lines for people, and recordings.
void add_console_logs(Router& router, Services& services);

/// The master's consoles; unsupported where there are none.
Result<ConsoleSource*> consoles_of(Services& services);

}  // namespace drover::api
