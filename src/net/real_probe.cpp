#include "net/real_probe.hpp"

#include <algorithm>
#include <cerrno>

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace drover::net {
namespace {

constexpr std::string_view kEthernetIpv4{"\x00\x01\x08\x00\x06\x04", 6};

sockaddr_ll link_address(uint32_t interface) {
  sockaddr_ll out{};
  out.sll_family = AF_PACKET;
  out.sll_protocol = htons(ETH_P_ARP);
  out.sll_ifindex = static_cast<int>(interface);
  return out;
}

std::string_view octets_of(const InetAddress& address) {
  return {reinterpret_cast<const char*>(address.octets.data()), 4};
}

}  // namespace

std::array<char, 28> arp_probe(const MacAddress& sender, const InetAddress& target) {
  std::array<char, 28> out{};
  std::copy(kEthernetIpv4.begin(), kEthernetIpv4.end(), out.begin());
  out[7] = 1;  // a request
  std::copy(sender.begin(), sender.end(), out.begin() + 8);
  std::copy_n(octets_of(target).begin(), 4, out.begin() + 24);
  return out;
}

std::optional<MacAddress> arp_owner(std::string_view packet, const InetAddress& address) {
  // Requests count as well: whoever asks names its own address as the sender's.
  if (packet.size() < 28 || !packet.starts_with(kEthernetIpv4) || packet[6] != 0 ||
      (packet[7] != 1 && packet[7] != 2) || packet.substr(14, 4) != octets_of(address)) {
    return {};
  }
  MacAddress owner{};
  std::copy_n(packet.begin() + 8, owner.size(), owner.begin());
  return owner;
}

Result<std::unique_ptr<RealAddressProbe>> RealAddressProbe::make(Loop& loop, uint32_t interface,
                                                                 const InetAddress& address,
                                                                 Duration wait,
                                                                 ProbeCallback answered) {
  if (!address.is_v4()) return fail(Code::unsupported, "only IPv4 addresses are asked for by ARP");
  std::unique_ptr<RealAddressProbe> out(
      new RealAddressProbe(interface, address, std::move(answered)));
  if (auto opened = out->open(loop); !opened) {
    return fail_in("asking who uses " + address.host_text(), std::move(opened).error());
  }
  out->ask();
  // Asked twice: a first ARP frame is lost easily, on links that have just come up.
  out->again_.after(loop, wait / 2, [probe = out.get()] { probe->ask(); });
  out->end_.after(loop, wait, [probe = out.get()] { probe->finish({}); });
  return out;
}

Status RealAddressProbe::open(Loop& loop) {
  // Protocol 0 until it is bound: nothing of other interfaces comes in meanwhile.
  fd_ = UniqueFd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) return tl::unexpected(errno_error("making a packet socket", errno));
  sockaddr_ll bound = link_address(interface_);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&bound), sizeof bound) != 0) {
    return tl::unexpected(errno_error("binding to the interface", errno));
  }
  socklen_t size = sizeof bound;
  ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  if (bound.sll_hatype != ARPHRD_ETHER || bound.sll_halen != own_.size()) {
    return fail(Code::unsupported, "the interface is not Ethernet");
  }
  std::copy_n(static_cast<const unsigned char*>(bound.sll_addr), own_.size(), own_.begin());
  return watch_.start(loop, fd_.get(), EPOLLIN, *this);
}

void RealAddressProbe::ask() {
  const auto packet = arp_probe(own_, address_);
  sockaddr_ll to = link_address(interface_);
  to.sll_halen = static_cast<unsigned char>(own_.size());
  std::fill_n(static_cast<unsigned char*>(to.sll_addr), own_.size(), uint8_t{0xff});
  // What cannot be sent is not answered, which is what the end of the wait says.
  ::sendto(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

void RealAddressProbe::on_fd(uint32_t /*events*/) {
  std::array<char, 128> packet{};
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) return;
    const auto owner = arp_owner({packet.data(), static_cast<size_t>(size)}, address_);
    if (owner && *owner != own_) return finish(owner);
  }
}

void RealAddressProbe::finish(std::optional<MacAddress> owner) {
  watch_.stop();
  again_.cancel();
  end_.cancel();
  // The callback may destroy the probe.
  ProbeCallback answered = std::move(answered_);
  answered(owner);
}

}  // namespace drover::net
