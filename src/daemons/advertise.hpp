// What a daemon tells others to dial, from where it listens.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "net/net.hpp"
#include "os/host_addresses.hpp"

#include <string_view>
#include <vector>

namespace drover::daemons {

/// `bound` with 0.0.0.0 and [::] replaced by addresses of this host of the same family, at most
/// four of each, IPv4 first; where the host has none by loopback, with a warning, since nobody else
/// can dial that.
std::vector<net::Endpoint> dialable(const std::vector<net::Endpoint>& bound,
                                    const std::vector<os::HostAddress>& host, const Log& log);

/// Refuses what nobody can dial in an option that says what to dial: 0.0.0.0, [::] or port 0.
Status check_dialable(std::string_view option, const std::vector<net::Endpoint>& endpoints);

}  // namespace drover::daemons
