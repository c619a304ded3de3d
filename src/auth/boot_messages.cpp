// One description for both ends, so that they cannot drift apart.
#include "auth/boot_messages.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::auth {
namespace {
constexpr std::array<std::string_view, 6> kStageNames{"init",    "image", "joining",
                                                      "node_up", "up",    "error"};
}  // namespace

std::span<const std::string_view> enum_names(MachineStage) {
  return kStageNames;
}

void StageReport::describe(Visitor& v) {
  v.field("stage", stage, "How far the machine is.");
  v.field("why", why, "What it does, or what failed.", Presence::optional);
  v.field("done", done, "Bytes of what it fetches that have come.", Presence::optional);
  v.field("total", total, "Bytes of what it fetches; 0: not known.", Presence::optional);
  v.field("uptime_ms", uptime_ms, "Milliseconds since its kernel started.", Presence::optional);
}

Status normalise(StageReport& report) {
  if (report.why.size() > kMaxStageWhy) {
    return fail(Code::too_large, fmt::format("why: expected at most {} bytes, got {}", kMaxStageWhy,
                                             report.why.size()));
  }
  for (char& c : report.why) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return {};
}

void BootSecrets::describe(Visitor& v) {
  v.field("secrets", secrets, "Values by name.");
}

}  // namespace drover::auth
