#include "cluster/state_views.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 4> kViewNames{"native", "csm", "scyld", "smd"};

/// By service, in the order of its enumerators.
struct ServiceWords {
  std::string_view csm;
  bool withdrawn;  ///< an administrator or a failure keeps work away from it
};
constexpr std::array<ServiceWords, 7> kServiceWords{{
    {"DISCOVERED", false},
    {"IN_SERVICE", false},
    {"OUT_OF_SERVICE", true},
    {"ADMIN_RESERVED", true},
    {"MAINTENANCE", true},
    {"SOFT_FAILURE", true},
    {"HARD_FAILURE", true},
}};

/// By phase, in the order of its enumerators. SMD's word for `unknown` follows the power.
struct PhaseWords {
  std::string_view scyld;
  std::string_view smd;
};
constexpr std::array<PhaseWords, 16> kPhaseWords{{
    {"down", "Unknown"},
    {"pwroff", "Off"},
    {"boot", "On"},
    {"boot", "On"},
    {"boot", "On"},
    {"boot", "On"},
    {"boot", "On"},
    {"boot", "On"},
    {"boot", "On"},
    {"boot", "On"},
    {"up", "Ready"},
    {"error", "On"},
    {"reboot", "On"},
    {"halt", "Ready"},
    {"halt", "Halt"},
    {"down", "Standby"},
}};

bool is_withdrawn(const Node& node) {
  return !node.enabled || kServiceWords.at(static_cast<size_t>(node.service.state)).withdrawn;
}

std::string_view smd_state(const Node& node) {
  const bool went_off = node.phase.state == PhaseState::lost && node.power.state == PowerState::off;
  if (went_off) return "Off";
  if (node.phase.state != PhaseState::unknown) {
    return kPhaseWords.at(static_cast<size_t>(node.phase.state)).smd;
  }
  switch (node.power.state) {
    case PowerState::on:
      return "On";
    case PowerState::off:
      return "Off";
    case PowerState::unknown:
      break;
  }
  return "Unknown";
}

std::string_view smd_flag(const Node& node) {
  const bool failed =
      node.phase.state == PhaseState::error || node.service.state == ServiceState::hard_failure;
  if (node.flag == NodeFlag::alert || failed) return "Alert";
  const bool troubled =
      node.phase.state == PhaseState::lost || node.service.state == ServiceState::soft_failure;
  if (node.flag == NodeFlag::warning || troubled) return "Warning";
  return node.locked ? "Locked" : "OK";
}

}  // namespace

std::span<const std::string_view> enum_names(StateView) {
  return kViewNames;
}

ViewedState viewed_state(const Node& node, StateView view) {
  switch (view) {
    case StateView::csm:
      return {kServiceWords.at(static_cast<size_t>(node.service.state)).csm, ""};
    case StateView::scyld:
      if (node.phase.state == PhaseState::up && is_withdrawn(node)) return {"unavailable", ""};
      return {kPhaseWords.at(static_cast<size_t>(node.phase.state)).scyld, ""};
    case StateView::smd:
      return {smd_state(node), smd_flag(node)};
    case StateView::native:
      break;
  }
  return {enum_name(node.phase.state), enum_name(node.flag)};
}

std::string state_views_markdown() {
  std::string out =
      "\n# In the words of other systems\n\n`drover node list --view csm|scyld|smd` and `GET "
      "/api/v1/states` say one word per node. They translate; the axes are the truth. Made from "
      "`src/cluster/state_views.cpp`; do not edit.\n\n## CSM\n\nBy service:\n\n| Service | CSM "
      "|\n|---|---|\n";
  const auto services = enum_names(ServiceState{});
  for (size_t i = 0; i < services.size(); ++i) {
    out += fmt::format("| {} | {} |\n", services[i], kServiceWords.at(i).csm);
  }
  out += "\n## Scyld and SMD\n\nBy phase:\n\n| Phase | Scyld | SMD state |\n|---|---|---|\n";
  const auto phases = enum_names(PhaseState{});
  for (size_t i = 0; i < phases.size(); ++i) {
    const auto phase = static_cast<PhaseState>(i);
    const std::string_view scyld =
        phase == PhaseState::up ? "up; unavailable when withdrawn" : kPhaseWords.at(i).scyld;
    const std::string_view smd = phase == PhaseState::unknown ? "by power: On, Off, Unknown"
                                 : phase == PhaseState::lost  ? "Standby; Off when the power is off"
                                                              : kPhaseWords.at(i).smd;
    out += fmt::format("| {} | {} | {} |\n", phases[i], scyld, smd);
  }
  out +=
      "\nA node is withdrawn when it is not enabled or its service is neither discovered nor "
      "in_service.\n\nSMD's flag, the first that fits: *Alert* for the flag alert, the phase error "
      "and hard_failure; *Warning* for the flag warning, the phase lost and soft_failure; "
      "*Locked*; "
      "*OK*.\n";
  return out;
}

}  // namespace drover::cluster
