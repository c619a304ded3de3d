// Replies: which boot file, which options, and to whom. Used by the server alone.
#pragma once

#include "boot/dhcp/server.hpp"

#include <array>

namespace drover::boot::dhcp {

/// One packet being decided on.
struct Exchange {
  const Request& request;
  const Arrival& arrival;
  const Subnet& subnet;
  const SubnetValues& values;
  Ipv4 server_id;  ///< what the client calls us
  const Reservation* machine;
  std::span<char> out;
  Decision& decision;
};

/// Space for a URL put together for one reply.
using BootFileSpace = std::array<char, 1024>;

/// What the client shall load: a TFTP file name or a URL. Empty when it shall not boot from here,
/// or there is nothing for its architecture.
std::string_view boot_file(const ServerConfig& config, const Exchange& exchange,
                           BootFileSpace& space);

/// Writes an OFFER or ACK that gives `address` for `lease` (both zero: none are given) into the
/// exchange's decision, with where it goes.
void write_reply(const ServerConfig& config, Exchange& exchange, MessageType type, Ipv4 address,
                 Duration lease);
/// Writes an OFFER or ACK of a boot server: a boot file, no address.
void write_boot_reply(Exchange& exchange, MessageType type, std::string_view file);
/// Writes a NAK; `why` is for the client's log.
void write_nak(Exchange& exchange, std::string_view why);

}  // namespace drover::boot::dhcp
