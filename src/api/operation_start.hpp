// How requests that become operations begin: the operation's id, and the mutation that stores it.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "cluster/operation.hpp"

#include <string>
#include <string_view>

namespace drover::api {

/// A new id. With an Idempotency-Key it follows from that, `kind` and the caller: asking again
/// changes nothing twice.
std::string operation_id(Services& services, const Request& request, std::string_view kind,
                         const std::string& key);

/// Stores the operation, which its master then runs, and answers 202 with it and its place.
void start_operation(Services& services, const RequestPtr& request, cluster::Operation operation,
                     std::string why);

}  // namespace drover::api
