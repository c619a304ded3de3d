#include "cli/changes.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/style.hpp"

#include <map>

#include <fmt/core.h>

namespace drover::cli {
namespace {

constexpr size_t kMostDifferences = 4;

bool is_noise(std::string_view path) {
  return path == "revision" || path.ends_with("since") || path.ends_with("why") ||
         path.ends_with("last_seen") || path.ends_with("who");
}

void leaves(const json::value& value, const std::string& path,
            std::map<std::string, std::string, std::less<>>& out) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    if (!is_noise(path)) out[printable(path)] = scalar_text(value);
    return;
  }
  for (const auto& [key, inner] : *object) {
    leaves(inner, path.empty() ? std::string(key) : path + "." + std::string(key), out);
  }
}

}  // namespace

std::string change_summary(const json::value& change) {
  const std::string operation = text_at(change, "operation");
  const json::value* before = find_path(change, "before");
  const json::value* after = find_path(change, "after");
  if (operation == "erase") return "erased";
  const bool had = before != nullptr && !before->is_null();
  const bool has = after != nullptr && !after->is_null();
  if (!had) return has ? "created" : "changed (not shown)";
  if (!has) return "changed (not shown)";
  std::map<std::string, std::string, std::less<>> old_leaves;
  std::map<std::string, std::string, std::less<>> new_leaves;
  leaves(*before, {}, old_leaves);
  leaves(*after, {}, new_leaves);
  for (const auto& [path, value] : old_leaves) new_leaves.try_emplace(path);
  std::string out;
  size_t count = 0;
  for (const auto& [path, value] : new_leaves) {
    const auto it = old_leaves.find(path);
    const std::string old = it == old_leaves.end() ? "" : it->second;
    if (old == value || ++count > kMostDifferences) continue;
    out += fmt::format("{}{}: {} -> {}", out.empty() ? "" : ", ", path, old.empty() ? "-" : old,
                       value.empty() ? "-" : value);
  }
  if (count > kMostDifferences) out += fmt::format(" and {} more", count - kMostDifferences);
  return out.empty() ? "touched" : out;
}

std::string change_line(const json::value& change, bool colour) {
  const std::string time = text_at(change, "time");
  const std::string why = text_at(change, "why");
  const std::string actor = text_at(change, "actor");
  return fmt::format("{} {} {}/{} {}{}{}\n", time.size() > 19 ? time.substr(11, 8) : time,
                     toned("#" + text_at(change, "sequence"), Tone::faint, colour),
                     text_at(change, "kind"), toned(text_at(change, "key"), Tone::strong, colour),
                     change_summary(change), why.empty() ? "" : fmt::format(" ({})", why),
                     actor.empty() ? "" : fmt::format(" by {}", actor));
}

bool change_matches(const json::value& change, std::string_view filter) {
  if (filter.empty()) return true;
  const size_t slash = std::min(filter.find('/'), filter.size());
  if (text_at(change, "kind") != filter.substr(0, slash)) return false;
  return slash == filter.size() || text_at(change, "key") == filter.substr(slash + 1);
}

const ListView& change_view() {
  static const ListView view{{{"TIME", "time"},
                              {"SEQUENCE", "sequence", Show::number},
                              {"WHO", "actor"},
                              {"VIA", "via", Show::text, true},
                              {"KIND", "kind"},
                              {"KEY", "key"},
                              {"CHANGE", "summary", Show::text, false, true},
                              {"WHY", "why", Show::text, false, true}},
                             "",
                             "sequence"};
  return view;
}

}  // namespace drover::cli
