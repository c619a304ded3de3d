// getifaddrs(3), ordered by the default route.
#include "os/host_addresses.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <sstream>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace drover::os {
namespace {

HostAddress address_of(const ifaddrs& entry) {
  HostAddress out;
  out.interface = entry.ifa_name;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (entry.ifa_addr->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry.ifa_addr);
    const uint32_t bits = ntohl(v4->sin_addr.s_addr);
    const bool link_local = (bits >> 16) == 0xa9fe;  // 169.254/16
    if (!link_local) inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (entry.ifa_addr->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr);
    out.v6 = true;
    if (!IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) {
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
  }
  out.address = text.data();
  return out;
}

}  // namespace

std::string default_interface(std::string_view routes) {
  std::istringstream lines{std::string(routes)};
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string interface;
    std::string destination;
    if (words >> interface >> destination && destination == "00000000") return interface;
  }
  return {};
}

std::vector<HostAddress> host_addresses() {
  ifaddrs* list = nullptr;
  std::vector<HostAddress> out;
  if (::getifaddrs(&list) != 0) return out;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, ::freeifaddrs);
  constexpr unsigned kWanted = IFF_UP | IFF_RUNNING;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if ((entry->ifa_flags & kWanted) != kWanted) continue;
    HostAddress address = address_of(*entry);
    if (!address.address.empty()) out.push_back(std::move(address));
  }
  std::ostringstream routes;
  routes << std::ifstream("/proc/net/route").rdbuf();
  const std::string first = default_interface(routes.str());
  std::vector<HostAddress> ordered;
  for (const bool of_first : {true, false}) {
    for (const HostAddress& one : out) {
      if ((one.interface == first) == of_first) ordered.push_back(one);
    }
  }
  return ordered;
}

}  // namespace drover::os
