// What every script says of this server and the cluster.
#pragma once

#include "boot/wire/address.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::boot {

struct SiteOptions {
  uint16_t http_port = 8080;  ///< plain HTTP: loaders, scripts, kernels, roots
  uint16_t tls_port = 8443;   ///< TLS: stages, logs, enrolment
  uint16_t log_port = 6666;   ///< netconsole
  std::string ca_sha256;      ///< of the cluster's CA, 64 lower-case hex digits
  std::vector<Ipv4> own_addresses;
  std::vector<Ipv6> own_addresses6;
  /// Where networks say no domain; reserved for private use (ICANN, 2024).
  std::string domain = "cluster.internal";
  std::string server_name = "boot";  ///< this server in DNS, below the domain
  uint32_t dns_ttl = 60;             ///< seconds
};

}  // namespace drover::boot
