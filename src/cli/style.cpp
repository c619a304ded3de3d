#include "cli/style.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::cli {
namespace {

constexpr std::array<std::string_view, 9> kGood{"node_up", "up",  "in_service", "ok",   "on",
                                                "done",    "yes", "true",       "ready"};
constexpr std::array<std::string_view, 11> kBad{
    "lost",      "error", "hard_failure", "critical", "failed", "unreached",
    "timed_out", "down",  "disabled",     "alert",    "no"};
constexpr std::array<std::string_view, 10> kWarning{
    "degraded", "warning",        "soft_failure", "maintenance", "admin_reserved",
    "booting",  "out_of_service", "rebooting",    "halting",     "joining"};

}  // namespace

Tone tone_of_state(std::string_view state) {
  if (state.ends_with('?')) return Tone::warning;  // not confirmed
  const auto among = [&](const auto& list) {
    return std::find(list.begin(), list.end(), state) != list.end();
  };
  if (among(kGood)) return Tone::good;
  if (among(kBad)) return Tone::bad;
  if (among(kWarning)) return Tone::warning;
  if (state == "unknown" || state == "-") return Tone::faint;
  return Tone::plain;
}

std::string toned(std::string_view text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  std::string_view code = "1";
  if (tone == Tone::good) code = "32";
  if (tone == Tone::warning) code = "33";
  if (tone == Tone::bad) code = "31";
  if (tone == Tone::faint) code = "2";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace drover::cli
