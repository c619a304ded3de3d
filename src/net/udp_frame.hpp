// The IPv4 and UDP headers of a datagram that is sent as a bare Ethernet frame.
#pragma once

#include "net/datagram.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace drover::net {

/// IPv4 without options, then UDP.
inline constexpr size_t kUdpFrameHeader = 28;

/// The headers before `head` and `body`, from `from` to `to` (IPv4 both), checksums and all. The
/// payload must have at most 65507 bytes.
std::array<char, kUdpFrameHeader> udp_frame_header(const InetAddress& from, const InetAddress& to,
                                                   std::string_view head, std::string_view body);

}  // namespace drover::net
