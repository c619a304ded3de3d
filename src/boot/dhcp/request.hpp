// What a client's DHCPv4 message means: who asks, for what, in which state (RFC 2131 section
// 4.3.2), through which relay, and with which way of booting.
#pragma once

#include "boot/dhcp/packet.hpp"

#include <bitset>
#include <optional>
#include <string_view>

namespace drover::boot::dhcp {

/// What a relay says about where the client is (option 82). Empty pieces were not given.
struct RelayInfo {
  std::string_view whole;  ///< the option's value, to be sent back as it came
  std::string_view circuit_id;
  std::string_view remote_id;
  std::optional<Ipv4> link_selection;      ///< the client's subnet, where giaddr is not in it
  std::optional<Ipv4> server_id_override;  ///< what the client shall take for its server
  bool answers_to_source_port = false;     ///< RFC 8357
};

/// The states a REQUEST comes from (RFC 2131 section 4.3.2).
enum class RequestState : uint8_t {
  selecting,    ///< takes the offer of the server it names
  init_reboot,  ///< has an address from before, asks whether it still holds
  bound,        ///< RENEWING or REBINDING: has the address and wants it longer
};

/// A message of a client, made sense of. Points into the packet.
struct Request {
  const PacketView* packet = nullptr;
  MessageType type = MessageType::discover;
  RequestState state = RequestState::selecting;  ///< of a REQUEST
  ClientKind kind = ClientKind::plain;
  uint16_t architecture = kNoArchitecture;  ///< the first of option 93
  HardwareAddress hardware;
  std::string_view client_id;   ///< option 61; empty when not given
  std::string_view machine_id;  ///< option 97, type octet included; empty when not given
  Ipv4 wanted;                  ///< option 50, else ciaddr; zero when neither
  std::optional<Ipv4> server_id;
  RelayInfo relay;
  size_t most_bytes = 0;  ///< the longest message that the client takes

  /// Whether the client asked for option `code`; without a list it wants all.
  [[nodiscard]] bool wants(uint8_t code) const { return wants_all || asked[code]; }
  std::bitset<256> asked;
  bool wants_all = true;
};

/// Why a well-formed message is not a client's request.
enum class NotRequest : uint8_t {
  reply,            ///< sent by a server
  no_type,          ///< without a valid option 53
  nobody,           ///< neither a hardware address nor a client identifier names a machine
  bad_option,       ///< an option has a length that it must not have
  impossible_type,  ///< an OFFER, ACK or NAK in a client's packet
};
std::string_view text(NotRequest why);

/// Reads the meaning of `packet`, which must outlive what is returned.
tl::expected<Request, NotRequest> read_request(const PacketView& packet);

/// True when the user class (option 77) names `word`, either as iPXE sends it (the bare text) or
/// in the pieces of RFC 3004.
bool user_class_has(std::string_view user_class, std::string_view word);

}  // namespace drover::boot::dhcp
