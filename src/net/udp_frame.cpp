#include "net/udp_frame.hpp"

namespace drover::net {
namespace {

/// The Internet checksum (RFC 1071), fed in pieces of any length.
class Checksum {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      const auto value = static_cast<uint8_t>(c);
      sum_ += odd_ ? value : static_cast<uint32_t>(value) << 8;
      odd_ = !odd_;
    }
  }
  void add_u16(uint16_t value) { sum_ += value; }
  [[nodiscard]] uint16_t value() const {
    uint64_t sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
  }

 private:
  uint64_t sum_ = 0;
  bool odd_ = false;
};

constexpr uint8_t kUdp = 17;
constexpr uint8_t kTtl = 64;

}  // namespace

std::array<char, kUdpFrameHeader> udp_frame_header(const InetAddress& from, const InetAddress& to,
                                                   std::string_view head, std::string_view body) {
  std::array<char, kUdpFrameHeader> out{};
  const auto u8 = [&](size_t at, uint8_t value) { out[at] = static_cast<char>(value); };
  const auto u16 = [&](size_t at, uint16_t value) {
    u8(at, static_cast<uint8_t>(value >> 8));
    u8(at + 1, static_cast<uint8_t>(value));
  };
  const auto udp_length = static_cast<uint16_t>(8 + head.size() + body.size());
  u8(0, 0x45);  // version 4, five words
  u16(2, static_cast<uint16_t>(20 + udp_length));
  u16(6, 0x4000);  // not to be fragmented, so that the identification may stay zero (RFC 6864)
  u8(8, kTtl);
  u8(9, kUdp);
  for (size_t i = 0; i < 4; ++i) u8(12 + i, from.octets[i]);
  for (size_t i = 0; i < 4; ++i) u8(16 + i, to.octets[i]);
  Checksum ip;
  ip.add({out.data(), 20});
  u16(10, ip.value());

  u16(20, from.port);
  u16(22, to.port);
  u16(24, udp_length);
  Checksum udp;
  udp.add({out.data() + 12, 8});
  udp.add_u16(kUdp);
  udp.add_u16(udp_length);
  udp.add({out.data() + 20, 8});
  udp.add(head);
  udp.add(body);
  // Zero would say that there is no checksum (RFC 768).
  u16(26, udp.value() == 0 ? 0xffff : udp.value());
  return out;
}

}  // namespace drover::net
