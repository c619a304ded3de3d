// The interfaces of this host by getifaddrs(3).
#include "net/real_datagram.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <map>

#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>

namespace drover::net {
namespace {

uint8_t mask_bits(const sockaddr* mask) {
  if (mask == nullptr) return 0;
  if (mask->sa_family == AF_INET) {
    return static_cast<uint8_t>(
        std::popcount(reinterpret_cast<const sockaddr_in*>(mask)->sin_addr.s_addr));
  }
  int bits = 0;
  for (const uint8_t octet : reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr.s6_addr) {
    bits += std::popcount(octet);
  }
  return static_cast<uint8_t>(bits);
}

void add(NetInterface& out, const ifaddrs& entry) {
  out.up = (entry.ifa_flags & IFF_UP) != 0;
  out.loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0;
  switch (entry.ifa_addr->sa_family) {
    case AF_PACKET: {
      const auto& link = reinterpret_cast<const sockaddr_ll&>(*entry.ifa_addr);
      out.index = static_cast<uint32_t>(link.sll_ifindex);
      if (link.sll_hatype == ARPHRD_ETHER && link.sll_halen == 6) {
        out.mac.emplace();
        std::copy_n(static_cast<const unsigned char*>(link.sll_addr), 6, out.mac->begin());
      }
      return;
    }
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(*entry.ifa_addr);
      out.addresses.push_back(
          {InetAddress::v4(ntohl(v4.sin_addr.s_addr)), mask_bits(entry.ifa_netmask)});
      return;
    }
    case AF_INET6: {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(*entry.ifa_addr);
      std::array<uint8_t, 16> octets{};
      std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
      out.addresses.push_back({InetAddress::v6(octets), mask_bits(entry.ifa_netmask)});
      return;
    }
    default:
      return;
  }
}

}  // namespace

Result<std::vector<NetInterface>> real_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return tl::unexpected(errno_error("listing network interfaces", errno));
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, &freeifaddrs);
  std::map<std::string, NetInterface> by_name;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    // An alias of old ("eth0:1") is an address of its interface.
    const std::string_view label = entry->ifa_name;
    NetInterface& out = by_name[std::string(label.substr(0, label.find(':')))];
    add(out, *entry);
  }
  std::vector<NetInterface> all;
  for (auto& [name, entry] : by_name) {
    entry.name = name;
    if (entry.index == 0) entry.index = ::if_nametoindex(name.c_str());
    all.push_back(std::move(entry));
  }
  std::sort(all.begin(), all.end(),
            [](const NetInterface& a, const NetInterface& b) { return a.index < b.index; });
  return all;
}

}  // namespace drover::net
