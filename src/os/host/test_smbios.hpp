// For tests: SMBIOS tables built byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace drover::os::testing {

/// A memory device (type 17) with plausible values; the named ones differ between tests.
struct MemoryDevice {
  std::string locator;
  uint16_t size = 0;
  uint32_t extended_mib = 0;
  uint8_t type = 0x22;
  uint16_t speed = 4800;
  std::string serial = "80CE01";
  size_t length = 0x5c;  ///< of the formatted area; cut for older versions
};

class SmbiosBuilder {
 public:
  SmbiosBuilder& structure(uint8_t type, std::string body,
                           const std::vector<std::string>& strings) {
    bytes_.push_back(static_cast<char>(type));
    bytes_.push_back(static_cast<char>(body.size() + 4));
    bytes_ += std::string("\0\0", 2);
    bytes_ += body;
    for (const std::string& text : strings) bytes_ += text + '\0';
    if (strings.empty()) bytes_.push_back('\0');
    bytes_.push_back('\0');
    return *this;
  }

  SmbiosBuilder& memory_device(const MemoryDevice& device) {
    std::string body(0x5c, '\0');
    const auto put = [&body](size_t offset, uint64_t value, size_t count) {
      for (size_t i = 0; i < count; ++i) body[offset + i] = static_cast<char>(value >> (8 * i));
    };
    put(0x08, 80, 2);
    put(0x0a, 64, 2);
    put(0x0c, device.size, 2);
    put(0x0e, 9, 1);
    put(0x10, 1, 1);  // locator
    put(0x11, 2, 1);  // bank
    put(0x12, device.type, 1);
    put(0x15, device.speed, 2);
    put(0x17, 3, 1);  // maker
    put(0x18, 4, 1);  // serial
    put(0x1a, 5, 1);  // part number
    put(0x1b, 2, 1);  // ranks
    put(0x1c, device.extended_mib, 4);
    put(0x20, 4400, 2);
    body = body.substr(0, device.length).substr(4);
    return structure(17, body,
                     {device.locator, "P0_Node0", "Samsung", device.serial, "M321R8GA0BB0-CQKZJ "});
  }

  SmbiosBuilder& processor(const std::string& socket, const std::string& serial) {
    std::string body(0x30, '\0');
    body[0x04] = 1;
    body[0x05] = 3;  // central processor
    body[0x10] = 2;
    body[0x14] = '\xe4';  // 3,300 MHz
    body[0x15] = '\x0c';
    body[0x18] = 0x41;  // populated, enabled
    body[0x20] = 3;
    return structure(4, body.substr(4), {socket, "Intel(R) Xeon(R) Platinum 8480+", serial});
  }

  [[nodiscard]] std::string end() {
    structure(127, "", {});
    return bytes_;
  }

 private:
  std::string bytes_;
};

}  // namespace drover::os::testing
