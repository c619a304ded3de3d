// DHCPv6 messages (RFC 8415): relays unwrapped, options read in place; replies written with nested
// options, and wrapped again for the relays. Nothing here allocates.
#pragma once

#include "boot/dhcp/options.hpp"
#include "boot/wire/address.hpp"
#include "boot/wire/bytes.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

namespace drover::boot::dhcp6 {

enum class MessageType : uint8_t {
  solicit = 1,
  advertise = 2,
  request = 3,
  confirm = 4,
  renew = 5,
  rebind = 6,
  reply = 7,
  release = 8,
  decline = 9,
  reconfigure = 10,
  information_request = 11,
  relay_forward = 12,
  relay_reply = 13,
};
/// "SOLICIT"; "?" for a number that is none.
std::string_view name(MessageType type);

inline constexpr uint16_t kClientId = 1;
inline constexpr uint16_t kServerId = 2;
inline constexpr uint16_t kIaNa = 3;
inline constexpr uint16_t kIaAddress = 5;
inline constexpr uint16_t kOptionRequest = 6;
inline constexpr uint16_t kPreference = 7;
inline constexpr uint16_t kRelayMessage = 9;
inline constexpr uint16_t kStatusCode = 13;
inline constexpr uint16_t kRapidCommit = 14;
inline constexpr uint16_t kUserClass = 15;
inline constexpr uint16_t kVendorClass = 16;
inline constexpr uint16_t kInterfaceId = 18;
inline constexpr uint16_t kNameServers = 23;  ///< RFC 3646
inline constexpr uint16_t kDomainSearch = 24;
inline constexpr uint16_t kRemoteId = 37;     ///< RFC 4649
inline constexpr uint16_t kBootFileUrl = 59;  ///< RFC 5970
inline constexpr uint16_t kArchitecture = 61;
inline constexpr uint16_t kLinkLayerAddress = 79;  ///< RFC 6939

/// RFC 8415 section 21.13.
enum class StatusCode : uint16_t {
  success = 0,
  no_addresses = 2,
  no_binding = 3,
  not_on_link = 4,
  use_multicast = 5,
};

inline constexpr uint16_t kServerPort = 547;
inline constexpr uint16_t kClientPort = 546;
/// What fits an Ethernet frame after IPv6 and UDP.
inline constexpr size_t kMaxMessage = 1452;
/// RFC 8415 section 7.6.
inline constexpr size_t kMaxHops = 8;
/// Intel's number, under which PXE and HTTP boot clients state their vendor class.
inline constexpr uint32_t kPxeEnterprise = 343;

enum class Malformed : uint8_t {
  too_short,
  too_long,
  option_cut_off,
  too_many_relays,
  no_relayed_message,
};
std::string_view text(Malformed why);

/// Walks options of 16-bit code and length.
class OptionCursor {
 public:
  explicit OptionCursor(std::string_view field) : reader_(field) {}
  bool next();
  [[nodiscard]] uint16_t code() const { return code_; }
  [[nodiscard]] std::string_view value() const { return value_; }
  [[nodiscard]] bool cut_off() const { return !reader_.ok(); }

 private:
  Reader reader_;
  uint16_t code_ = 0;
  std::string_view value_;
};

/// The first option of that code; nothing when it is absent.
std::optional<std::string_view> find_option(std::string_view field, uint16_t code);

/// One relay on the way, as it wrote itself down.
struct Relay {
  uint8_t hops = 0;
  Ipv6 link;
  Ipv6 peer;
  std::string_view interface_id;
  std::string_view remote_id;  ///< without its enterprise number
  std::optional<HardwareAddress> hardware;
};

/// A client's message, out of its relays.
struct MessageView {
  std::array<Relay, kMaxHops> relays{};  ///< the one that sent it to us first
  size_t relay_count = 0;
  MessageType type = MessageType::solicit;
  uint32_t xid = 0;  ///< 24 bits
  std::string_view options;

  /// Reads `packet`, which must outlive the view. Every option's length is checked.
  static tl::expected<MessageView, Malformed> parse(std::string_view packet);
  [[nodiscard]] std::optional<std::string_view> option(uint16_t code) const {
    return find_option(options, code);
  }
};

/// How a DUID names its machine (RFC 8415 section 11).
struct Duid {
  uint16_t kind = 0;  ///< 1 link-layer and time, 2 vendor, 3 link-layer, 4 UUID (RFC 6355)
  std::optional<HardwareAddress> hardware;  ///< of kinds 1 and 3: of some interface, any one
  std::string_view uuid;                    ///< of kind 4, 16 bytes
};
/// Nothing when it is shorter than its kind needs, or longer than 130 bytes.
std::optional<Duid> read_duid(std::string_view bytes);

/// The MAC that an EUI-64 interface identifier was made of; nothing for other addresses.
std::optional<HardwareAddress> hardware_of(const Ipv6& address);

/// An IA_NA of a client.
struct Association {
  uint32_t id = 0;
  std::string_view options;
};
std::optional<Association> read_association(std::string_view value);

/// Writes a reply, in the wrapping of the relays it goes back through.
class MessageWriter {
 public:
  MessageWriter(const MessageView& request, MessageType type, std::span<char> out);

  void option(uint16_t code, std::string_view value);
  void option_u8(uint16_t code, uint8_t value);
  void status(StatusCode code, std::string_view message);
  /// Opens an option that holds others; returns what close() takes.
  size_t open(uint16_t code);
  void close(size_t opened);
  void open_association(uint32_t id, uint32_t renew, uint32_t rebind);
  void address(const Ipv6& address, uint32_t preferred, uint32_t valid);
  void close_association() { close(association_); }
  void bytes(std::string_view value) { writer_.bytes(value); }
  void u16(uint16_t value) { writer_.u16(value); }
  void u32(uint32_t value) { writer_.u32(value); }

  /// The whole length; 0 when it did not fit.
  size_t finish();

 private:
  Writer writer_;
  std::array<size_t, kMaxHops> wrapped_{};
  size_t wrap_count_ = 0;
  size_t association_ = 0;
};

}  // namespace drover::boot::dhcp6
