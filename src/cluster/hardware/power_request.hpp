// What is asked of the power of many nodes: the body of POST /power, kept with its operation.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

enum class PowerAction : uint8_t {
  status,  ///< only look
  on,
  off,       ///< ask the operating system, then force
  soft_off,  ///< ask the operating system
  force_off,
  cycle,         ///< off as above, then on
  reset,         ///< restart at once, without the operating system's knowledge
  boot_device,   ///< what it boots from next
  soft_restart,  ///< ask the operating system to restart, else off as above and on
  hard_restart,  ///< cycle, of what is on
  identify,      ///< the light that people find it by
};
std::span<const std::string_view> enum_names(PowerAction);
/// Whether doing it again is as good as doing it once.
bool is_repeatable(PowerAction action);

enum class BootDevice : uint8_t { none, pxe, http, disk, cd, usb, bios };
std::span<const std::string_view> enum_names(BootDevice);

enum class IdentifyLight : uint8_t { off, on, blink };
std::span<const std::string_view> enum_names(IdentifyLight);

struct PowerRequest {
  static constexpr std::string_view kTypeName = "PowerRequest";
  std::string nodes;
  PowerAction action = PowerAction::status;
  BootDevice device = BootDevice::none;
  bool persistent = false;
  IdentifyLight light = IdentifyLight::off;
  uint32_t graceful_s = 120;
  uint32_t forced_s = 60;
  uint32_t at_a_time = 100;
  uint32_t per_second = 50;
  std::map<std::string, uint32_t> group_limits;
  bool confirm = true;
  bool force = false;
  std::map<std::string, std::string> deputy_keys = {};  ///< secret; never kept
  std::string why;
  bool operator==(const PowerRequest&) const = default;
  void describe(Visitor& v);
};

/// What is kept of a request with its operation.
struct PowerOrder {
  static constexpr std::string_view kTypeName = "PowerOrder";
  PowerRequest request;                              ///< without keys
  std::map<std::string, std::string> deputies = {};  ///< by node: SHA-256 of the key, in hex
  /// Names that were asked for and are no nodes with a power of their own, and why.
  std::map<std::string, std::string> left_out = {};
  bool operator==(const PowerOrder&) const = default;
  void describe(Visitor& v);
};

/// Ok when the numbers are within their bounds: up to 3600 s, 1 to 10,000 at a time, 1 to 1,000 a
/// second, at most 64 group limits of at least 1, and deputy keys of at most 256 bytes.
Status check(const PowerRequest& request);

}  // namespace drover::cluster
