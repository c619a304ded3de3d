// RealAddressProbe: the question "who has this address?" by ARP on an Ethernet interface.
#pragma once

#include "net/datagram.hpp"
#include "net/loop.hpp"

#include <memory>
#include <string_view>

namespace drover::net {

/// An ARP probe (RFC 5227 section 2.1.1): it names no sender address, so that it changes no cache.
/// 28 bytes without the link's header.
std::array<char, 28> arp_probe(const MacAddress& sender, const InetAddress& target);
/// Who says in `packet`, an ARP packet, that `address` is its own; nothing for anything else.
std::optional<MacAddress> arp_owner(std::string_view packet, const InetAddress& address);

class RealAddressProbe final : public AddressProbe, private FdHandler {
 public:
  static Result<std::unique_ptr<RealAddressProbe>> make(Loop& loop, uint32_t interface,
                                                        const InetAddress& address, Duration wait,
                                                        ProbeCallback answered);

 private:
  RealAddressProbe(uint32_t interface, const InetAddress& address, ProbeCallback answered)
      : interface_(interface), address_(address), answered_(std::move(answered)) {}
  Status open(Loop& loop);
  void ask();
  void on_fd(uint32_t events) override;
  void finish(std::optional<MacAddress> owner);

  uint32_t interface_;
  InetAddress address_;
  ProbeCallback answered_;
  MacAddress own_{};
  UniqueFd fd_;
  Loop::Watch watch_;
  Timer again_;
  Timer end_;
};

}  // namespace drover::net
