// What the DHCPv4 server is told of its site: subnets, loaders, URLs, and what strangers get.
#pragma once

#include "base/clock.hpp"
#include "boot/dhcp/options.hpp"
#include "boot/wire/address.hpp"

#include <optional>
#include <string>
#include <vector>

namespace drover::boot::dhcp {

struct Route {
  Prefix4 to;
  Ipv4 via;
};

/// What the server does for a subnet.
enum class SubnetMode : uint8_t {
  full,   ///< addresses and boot files
  proxy,  ///< boot files alone, beside another DHCP server (PXE 2.1 section 2.2)
  off,
};

/// A subnet that machines boot on, with what all of them are told. Empty lists are not sent.
struct Subnet {
  std::string name = {};  ///< for people
  Prefix4 prefix;
  SubnetMode mode = SubnetMode::full;
  std::optional<Ipv4> server;  ///< our address as its clients shall see it; else that of arrival
  std::vector<Ipv4> routers;
  std::vector<Ipv4> name_servers;
  std::vector<Ipv4> time_servers;
  std::string domain;
  std::vector<std::string> search;  ///< domains; one that is no name is left out
  std::vector<Route> routes;
  uint16_t mtu = 0;  ///< 0: not sent
  Duration lease = std::chrono::hours(1);
  Duration unknown_lease = std::chrono::minutes(5);  ///< for machines not in the model
  std::optional<size_t> pool;                        ///< in the LeaseBook
  /// Machines not in the model get an address of the pool for a while here; see also ServerConfig.
  bool discovers = true;
  bool authoritative = false;  ///< NAK clients that nobody here knows, instead of silence
};

struct Loader {
  uint16_t architecture = 0;
  std::string file;
};

/// Loader files by architecture as iPXE builds name them: undionly.kpxe, snponly-x64.efi, ...
std::vector<Loader> default_loaders();
/// The file for an architecture; empty when there is none. Lives as long as `loaders`.
std::string_view loader_for(const std::vector<Loader>& loaders, uint16_t architecture);

/// All that decisions depend on besides machines and leases. `{server}` in a URL stands for the
/// address by which the client reaches this server.
struct ServerConfig {
  std::vector<Subnet> subnets;
  std::vector<Loader> loaders = default_loaders();
  /// Before the loader's name, for firmware that boots by HTTP; ends with '/'.
  std::string http_prefix = "http://{server}/boot/";
  std::string script = "http://{server}/boot/v1/bootscript?mac=${net0/mac}";
  /// What unknown machines run; empty: they get no boot file.
  std::string unknown_script = "http://{server}/boot/v1/bootscript?mac=${net0/mac}";
  /// Unknown machines get an address of the pool for a while, and are shown; else silence.
  bool discover_unknown = true;
  std::vector<Ipv4> own_addresses;  ///< all that this server may be named by in option 54
};

}  // namespace drover::boot::dhcp
