// Who a boot daemon is to DHCPv6 clients, and what its cluster's addresses are made with.
#pragma once

#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace drover::daemons {

/// The DUID of this server: a UUID (RFC 6355) that is drawn at the first call and kept in
/// "<state>/duid", 32 hexadecimal digits. A file that is none is an error: another DUID would make
/// every client begin anew.
Result<std::string> boot_duid(Disk& disk, Random& random, const std::string& state);

/// The key of derived addresses: the same at every boot daemon of a cluster, another in every
/// cluster, with nothing to hand out. It is made of the cluster's CA's digest, so it keeps nothing
/// secret: it spreads addresses.
std::array<uint64_t, 2> address_key(std::string_view ca_sha256);

}  // namespace drover::daemons
