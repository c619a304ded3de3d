// What hostile BMCs send instead of their answers.
#pragma once

#include "base/clock.hpp"
#include "net/http/http_server.hpp"
#include "sim/bmc/bmc_traits.hpp"

#include <memory>

namespace drover::sim {

/// Whether this way of harm lies in what bodies hold, so that the root is left whole.
bool shapes_bodies(BmcHostility hostility);

/// Answers `exchange` in that way; `answer` is what a good BMC would say. What it gives back, if
/// anything, must be kept until its client has gone. Never keeps more than one piece of an endless
/// body in memory.
std::shared_ptr<net::HttpExchange> do_harm(BmcHostility hostility, Executor& executor,
                                           const net::HttpRequest& request,
                                           net::HttpResponse answer,
                                           std::shared_ptr<net::HttpExchange> exchange);

/// `body`, a JSON text, with every value but links of another type.
std::string with_wrong_types(std::string_view body);

}  // namespace drover::sim
