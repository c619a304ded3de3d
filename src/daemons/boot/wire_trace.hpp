// What the boot services saw, as the words of a machine's trace.
#pragma once

#include "boot/io/dhcp_service.hpp"
#include "boot/io/http_boot_service.hpp"
#include "boot/io/tftp_service.hpp"
#include "cluster/unknown_machine.hpp"
#include "daemons/boot/trace_book.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::daemons {

void trace_dhcp(TraceBook& book, const boot::io::DhcpEvent& event);
/// `node`: who has the client's address; empty: nobody that is known.
void trace_tftp(TraceBook& book, const boot::io::TftpEvent& event, std::string_view node);
void trace_http(TraceBook& book, const boot::HttpBootEvent& event, std::string_view node);

/// What is told of a machine that no node is known by; nothing for what is no such machine's
/// packet, or has no MAC.
std::optional<cluster::Sighting> sighting_of(const boot::dhcp::Decision& decision);

/// A request's target for logs: what may be a secret in it is left out.
std::string_view without_secrets(std::string_view target);

/// "x86 BIOS", "x64 UEFI", "arm64 UEFI HTTP": IANA's processor architecture types (RFC 5970); the
/// number for others, empty where none was told.
std::string architecture_name(uint16_t code);
/// Option 97 as dmidecode writes it; empty for what is none.
std::string uuid_text(std::string_view machine_id);

}  // namespace drover::daemons
