// The DHCPv4 message (RFC 2131 section 2, options of RFC 2132): read as a view over the packet's
// own bytes, written straight into the caller's buffer. Nothing here allocates.
#pragma once

#include "boot/dhcp/options.hpp"
#include "boot/wire/address.hpp"
#include "boot/wire/bytes.hpp"

#include <array>
#include <bitset>
#include <optional>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

namespace drover::boot::dhcp {

/// The longest message taken or given: what fits one Ethernet frame after IP and UDP.
inline constexpr size_t kMaxMessage = 1472;
/// Shorter replies are padded to this: old BOOTP clients drop less (RFC 1542 section 2.1).
inline constexpr size_t kMinMessage = 300;
/// Fixed fields and magic cookie; the options follow.
inline constexpr size_t kHeaderSize = 240;
/// IPv4 and UDP headers, which option 57 counts and a message does not.
inline constexpr size_t kIpUdpHeaders = 28;
/// What every client takes, headers included (RFC 2131 section 2).
inline constexpr uint16_t kLeastMaxSize = 576;

/// Why bytes are not a DHCP message. An enum, not an Error: garbage from the wire must cost
/// nothing.
enum class Malformed : uint8_t {
  too_short,
  too_long,
  no_cookie,            ///< plain BOOTP, or not DHCP at all
  bad_hardware_length,  ///< more than 16 octets
  option_cut_off,       ///< an option says it is longer than its field
  bad_overload,         ///< option 52 is not 1, 2 or 3
  no_join_space,        ///< split options do not fit the space given for joining them
};
std::string_view text(Malformed why);

/// Walks code-length-value options: the options field itself, or what options 43, 82 and 175 hold.
class OptionCursor {
 public:
  /// With `padded`, code 0 is skipped and code 255 ends (RFC 2132); relay sub-options have neither.
  explicit OptionCursor(std::string_view field, bool padded = true)
      : reader_(field), padded_(padded) {}
  /// Steps to the next option; false at the end and at an option that is cut off.
  bool next();
  [[nodiscard]] uint8_t code() const { return code_; }
  [[nodiscard]] std::string_view value() const { return value_; }
  /// True once an option was longer than the field.
  [[nodiscard]] bool cut_off() const { return !reader_.ok(); }

 private:
  Reader reader_;
  bool padded_;
  uint8_t code_ = 0;
  std::string_view value_;
};

/// The value of sub-option `code` in `field`; nothing when it is absent.
std::optional<std::string_view> sub_option(std::string_view field, uint8_t code, bool padded);

/// A message as it came. Views point into the packet and into the join space, which both must
/// outlive it; copying is cheap enough to pass by value.
class PacketView {
 public:
  /// Reads `packet`. Options given in several pieces (RFC 3396) are joined in `join_space`, which
  /// is enough when it is as long as the packet. Options of the `file` and `sname` fields are read
  /// when option 52 says so. What follows the end option is ignored, and so is its absence.
  static tl::expected<PacketView, Malformed> parse(std::string_view packet,
                                                   std::span<char> join_space);

  [[nodiscard]] std::string_view bytes() const { return packet_; }
  [[nodiscard]] uint8_t op() const { return u8(0); }  ///< 1 from clients, 2 from servers
  [[nodiscard]] uint8_t hops() const { return u8(3); }
  [[nodiscard]] uint32_t xid() const { return u32(4); }
  [[nodiscard]] uint16_t seconds() const { return u16(8); }
  [[nodiscard]] uint16_t flags() const { return u16(10); }
  [[nodiscard]] bool wants_broadcast() const { return (flags() & 0x8000) != 0; }
  [[nodiscard]] Ipv4 ciaddr() const { return {u32(12)}; }
  [[nodiscard]] Ipv4 yiaddr() const { return {u32(16)}; }
  [[nodiscard]] Ipv4 siaddr() const { return {u32(20)}; }
  [[nodiscard]] Ipv4 giaddr() const { return {u32(24)}; }
  [[nodiscard]] HardwareAddress hardware() const {
    return HardwareAddress::from(u8(1), packet_.substr(28, u8(2)));
  }
  /// The texts of the fixed fields up to their first zero; empty when they hold options.
  [[nodiscard]] std::string_view server_name() const;
  [[nodiscard]] std::string_view file() const;

  [[nodiscard]] bool has(uint8_t code) const { return present_[code]; }
  /// An option's whole value, which may be empty; nothing when the option is absent.
  [[nodiscard]] std::optional<std::string_view> option(uint8_t code) const;
  /// The same as a number; nothing also when its length is not that number's.
  [[nodiscard]] std::optional<uint8_t> option_u8(uint8_t code) const;
  [[nodiscard]] std::optional<uint16_t> option_u16(uint8_t code) const;
  [[nodiscard]] std::optional<uint32_t> option_u32(uint8_t code) const;
  [[nodiscard]] std::optional<Ipv4> option_address(uint8_t code) const;

  /// The fields that hold options, in the order in which split ones are joined: options, file,
  /// sname; those not in use are empty.
  [[nodiscard]] std::array<std::string_view, 3> fields() const;

 private:
  /// Where an option's value is: in the packet, or behind it in the join space.
  struct Slot {
    uint16_t offset = 0;
    uint16_t length = 0;
  };

  PacketView() = default;
  std::optional<Malformed> index(std::span<char> join_space);
  std::optional<Malformed> join(const std::bitset<256>& split, std::span<char> join_space);
  [[nodiscard]] uint32_t number(size_t at, size_t bytes) const;
  [[nodiscard]] uint8_t u8(size_t at) const { return static_cast<uint8_t>(packet_[at]); }
  [[nodiscard]] uint16_t u16(size_t at) const { return static_cast<uint16_t>(number(at, 2)); }
  [[nodiscard]] uint32_t u32(size_t at) const { return number(at, 4); }

  std::string_view packet_;
  std::string_view joined_;
  uint8_t overload_ = 0;
  std::bitset<256> present_;
  std::array<Slot, 256> slots_{};
};

/// The fixed fields of a message to write.
struct Header {
  uint8_t op = 2;
  uint8_t hops = 0;
  uint32_t xid = 0;
  uint16_t seconds = 0;
  uint16_t flags = 0;
  Ipv4 ciaddr;
  Ipv4 yiaddr;
  Ipv4 siaddr;
  Ipv4 giaddr;
  HardwareAddress hardware;
  std::string_view server_name;  ///< at most 63 bytes; longer is left out
  std::string_view file;         ///< at most 127 bytes; longer is left out
};

/// Writes one message. Options go into the options field; when that is full, into `file` and
/// `sname` as far as these are free (option 52). An option that fits nowhere is left out whole, so
/// add the important ones first.
class PacketWriter {
 public:
  /// `limit`: the longest message the client takes (not more than `out`). `relay_agent`: the value
  /// of option 82 to send back as the last option (RFC 3046 section 2.2); its room is kept.
  PacketWriter(const Header& header, std::span<char> out, size_t limit,
               std::string_view relay_agent = {});

  /// Adds an option; values over 255 bytes are split (RFC 3396). False when it was left out.
  bool option(uint8_t code, std::string_view value);
  bool option_u8(uint8_t code, uint8_t value);
  bool option_u16(uint8_t code, uint16_t value);
  bool option_u32(uint8_t code, uint32_t value);
  bool option_address(uint8_t code, Ipv4 value) { return option_u32(code, value.value); }
  /// Ends and pads the message. Its length; 0 when not even the fixed part fitted.
  size_t finish();

 private:
  bool place(Writer& field, size_t room, uint8_t code, std::string_view value);

  std::span<char> out_;
  std::string_view relay_agent_;
  Writer main_;
  Writer file_;
  Writer server_name_;
  bool ok_ = true;
};

/// Bytes that options take which hold `length` bytes of value, codes and lengths included.
constexpr size_t option_size(size_t length) {
  const size_t pieces = length == 0 ? 1 : (length + 254) / 255;
  return length + 2 * pieces;
}

}  // namespace drover::boot::dhcp
