#include "cli/boot/boot_trace.hpp"

#include "base/text.hpp"
#include "cli/output.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace drover::cli {
namespace {

/// As the boot daemon has it for firmware and loaders.
constexpr std::chrono::seconds kSilence{180};

/// What is said of a machine before a system of its own runs.
constexpr std::array<std::string_view, 6> kBefore{
    "DHCP", "TFTP", "was given its boot script", "was refused its boot script", "has ", "refused "};

struct Boot {
  WallTime began{};
  WallTime last{};
  std::string name;   ///< when it began, as text
  bool runs = false;  ///< its own system has said something
};

bool begins_one(const Boot& before, std::string_view text, WallTime time) {
  if (before.name.empty()) return true;
  const bool asks = text.starts_with("DHCP") || text.find("its boot script") != text.npos;
  return asks && (before.runs || time - before.last >= kSilence);
}

int64_t milliseconds(WallTime from, WallTime to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

}  // namespace

json::array trace_of(const json::array& lines, bool all) {
  std::map<std::string, Boot> boots;  // by node: its last
  json::array out;
  for (const json::value& line : lines) {
    const auto time = from_rfc3339(text_at(line, "time"));
    if (!line.is_object() || !time) continue;
    const std::string text = text_at(line, "text");
    Boot& boot = boots[text_at(line, "node")];
    if (begins_one(boot, text, *time)) boot = {*time, *time, to_rfc3339(*time), false};
    const bool before =
        std::ranges::any_of(kBefore, [&](std::string_view word) { return text.starts_with(word); });
    boot.runs = boot.runs || !before;
    json::object row = line.get_object();
    row["boot"] = boot.name;
    row["after_ms"] = milliseconds(boot.began, *time);
    row["step_ms"] = milliseconds(boot.last, *time);
    boot.last = *time;
    out.emplace_back(std::move(row));
  }
  if (all) return out;
  json::array last;
  for (json::value& row : out) {
    if (text_at(row, "boot") == boots[text_at(row, "node")].name) last.push_back(std::move(row));
  }
  return last;
}

}  // namespace drover::cli
