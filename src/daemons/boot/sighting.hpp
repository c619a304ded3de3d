// What DHCP saw of a machine that no node is known by, in the words of the cluster's list of them.
#pragma once

#include "boot/dhcp/server.hpp"
#include "cluster/unknown_machine.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::daemons {

/// What is told of a machine that no node is known by; nothing for what is no such machine's
/// packet, or has no MAC.
std::optional<cluster::Sighting> sighting_of(const boot::dhcp::Decision& decision);

/// "x86 BIOS", "x64 UEFI", "arm64 UEFI HTTP": IANA's processor architecture types (RFC 5970); the
/// number for others, empty where none was told.
std::string architecture_name(uint16_t code);
/// Option 97 as dmidecode writes it; empty for what is none.
std::string uuid_text(std::string_view machine_id);

}  // namespace drover::daemons
