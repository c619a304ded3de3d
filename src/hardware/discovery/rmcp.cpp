#include "hardware/discovery/rmcp.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace drover::hardware {
namespace {

// RMCP header (ASF 2.0 section 3.2.2): version 1.0, reserved, sequence 255 (no acknowledgement),
// class.
constexpr uint8_t kVersion = 0x06;
constexpr uint8_t kNoAck = 0xff;
constexpr uint8_t kClassAsf = 0x06;
constexpr uint8_t kClassIpmi = 0x07;
constexpr size_t kHeader = 4;
// ASF (section 3.2.3): IANA number of ASF, type, tag, reserved, length.
constexpr std::array<uint8_t, 4> kAsfNumber{0x00, 0x00, 0x11, 0xbe};
constexpr uint8_t kPing = 0x80;
constexpr uint8_t kPong = 0x40;
constexpr size_t kPongType = 8;
constexpr size_t kPongLength = 11;
constexpr size_t kPongEntities = 20;  ///< place of "supported entities"
constexpr uint8_t kSpeaksIpmi = 0x80;
// IPMI session wrapper (section 13.6): type none, sequence, id, length; then the message.
constexpr size_t kMessage = kHeader + 10;
constexpr uint8_t kBmcAddress = 0x20;
constexpr uint8_t kConsoleAddress = 0x81;
constexpr uint8_t kAppRequest = 0x06 << 2;
constexpr uint8_t kAppResponse = 0x07 << 2;
constexpr uint8_t kCapabilities = 0x38;
constexpr uint8_t kThisChannel = 0x8e;  ///< with the data of IPMI 2.0
constexpr uint8_t kAdministrator = 0x04;
constexpr size_t kResponse = 16;  ///< bytes of the answer's message

uint8_t checksum(std::span<const uint8_t> bytes) {
  uint8_t sum = 0;
  for (const uint8_t byte : bytes) sum = static_cast<uint8_t>(sum + byte);
  return static_cast<uint8_t>(0x100U - sum);
}

std::string text_of(std::span<const uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

std::optional<RmcpAnswer> parse_pong(std::span<const uint8_t> bytes) {
  if (bytes.size() <= kPongEntities || bytes[kPongLength] < 0x10) return std::nullopt;
  if (!std::ranges::equal(bytes.subspan(kHeader, kAsfNumber.size()), kAsfNumber) ||
      bytes[kPongType] != kPong) {
    return std::nullopt;
  }
  return RmcpAnswer{(bytes[kPongEntities] & kSpeaksIpmi) != 0, false, false};
}

std::optional<RmcpAnswer> parse_capabilities(std::span<const uint8_t> bytes) {
  if (bytes.size() < kMessage || bytes[kHeader] != 0) return std::nullopt;
  const size_t length = bytes[kMessage - 1];
  if (length < kResponse || bytes.size() < kMessage + length) return std::nullopt;
  const auto message = bytes.subspan(kMessage, length);
  // To us, of the application, from a BMC; both checksums make what they cover sum up to nothing.
  if (message[0] != kConsoleAddress || (message[1] & 0xfc) != kAppResponse ||
      checksum(message.first(3)) != 0 || checksum(message.subspan(3)) != 0 ||
      message[5] != kCapabilities || message[6] != 0) {
    return std::nullopt;
  }
  const uint8_t types = message[8];
  const uint8_t extended = message[10];
  RmcpAnswer answer{true, false, true};
  if ((types & 0x80) != 0) {  // it knows the data of IPMI 2.0
    answer.version2 = (extended & 0x02) != 0;
    answer.version1 = (extended & 0x01) != 0;
  }
  return answer;
}

}  // namespace

std::string rmcp_ping(uint8_t tag) {
  std::array<uint8_t, 12> out{kVersion, 0, kNoAck, kClassAsf};
  std::ranges::copy(kAsfNumber, out.begin() + kHeader);
  out[kPongType] = kPing;
  out[9] = tag;
  return text_of(out);
}

std::string rmcp_capabilities(uint8_t sequence) {
  std::array<uint8_t, kMessage + 9> out{kVersion, 0, kNoAck, kClassIpmi};
  out[kMessage - 1] = 9;
  const auto message = std::span(out).subspan(kMessage);
  message[0] = kBmcAddress;
  message[1] = kAppRequest;
  message[2] = checksum(message.first(2));
  message[3] = kConsoleAddress;
  message[4] = static_cast<uint8_t>(sequence << 2);
  message[5] = kCapabilities;
  message[6] = kThisChannel;
  message[7] = kAdministrator;
  message[8] = checksum(message.subspan(3, 5));
  return text_of(out);
}

std::optional<RmcpAnswer> parse_rmcp(std::string_view text) {
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  if (bytes.size() < kHeader || bytes[0] != kVersion) return std::nullopt;
  // The highest bit of the class marks acknowledgements, which say nothing.
  if (bytes[3] == kClassAsf) return parse_pong(bytes);
  if (bytes[3] == kClassIpmi) return parse_capabilities(bytes);
  return std::nullopt;
}

}  // namespace drover::hardware
