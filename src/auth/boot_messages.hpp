// What machines tell drover-boot over TLS while they boot, by their token, and are told: the bodies
// of POST /boot/v1/stage and /boot/v1/secrets. That of /boot/v1/enrol is in enrol_messages.hpp.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace drover::auth {

/// How far the machine's own part of its boot is.
enum class MachineStage : uint8_t { init, image, joining, node_up, up, error };
std::span<const std::string_view> enum_names(MachineStage);

/// Longest reason of a report, in bytes.
inline constexpr size_t kMaxStageWhy = 1024;

/// Body of POST /boot/v1/stage.
struct StageReport {
  static constexpr std::string_view kTypeName = "BootStageReport";
  MachineStage stage = MachineStage::init;
  std::string why;         ///< what it does or what failed, one line
  uint64_t done = 0;       ///< bytes of what is fetched
  uint64_t total = 0;      ///< 0: not known
  uint64_t uptime_ms = 0;  ///< since the kernel started
  void describe(Visitor& v);
};
/// too_large for a longer `why`; control characters in it are replaced by blanks.
Status normalise(StageReport& report);

/// The answer to POST /boot/v1/secrets.
struct BootSecrets {
  static constexpr std::string_view kTypeName = "BootSecrets";
  std::map<std::string, std::string> secrets;  ///< values by name
  void describe(Visitor& v);
};

}  // namespace drover::auth
