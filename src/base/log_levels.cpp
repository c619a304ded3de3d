#include "base/log_levels.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover {
namespace {

/// Names are constants of the program: more than this and they are made up.
constexpr size_t kMostComponents = 256;

bool is_component(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::optional<Severity> severity_from_name(std::string_view text) {
  for (const Severity severity :
       {Severity::debug, Severity::info, Severity::notice, Severity::warning, Severity::error}) {
    if (name(severity) == text) return severity;
  }
  return std::nullopt;
}

Result<std::map<std::string, Severity, std::less<>>> parse_log_levels(std::string_view text) {
  std::map<std::string, Severity, std::less<>> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    const std::string_view component = part.substr(0, equals);
    if (equals == std::string_view::npos || !is_component(component)) {
      return fail(Code::invalid_argument,
                  fmt::format("expected COMPONENT=LEVEL with a component such as link or call, not "
                              "\"{}\"",
                              printable(part)));
    }
    const auto level = severity_from_name(part.substr(equals + 1));
    if (!level) {
      return fail(Code::invalid_argument,
                  fmt::format("{}: expected one of debug, info, notice, warning, error, not \"{}\"",
                              component, printable(part.substr(equals + 1))));
    }
    if (!out.emplace(component, *level).second) {
      return fail(Code::invalid_argument, fmt::format("{} is named twice", component));
    }
  }
  return out;
}

Status check_log_levels(const std::string& text) {
  DROVER_CHECK_OK(parse_log_levels(text));
  return {};
}

void LogLevels::set(LevelSet levels) {
  const std::lock_guard lock(mutex_);
  levels_ = std::move(levels);
  for (auto& [component, spoken] : spoken_) spoken.least = least_of(component);
}

LevelSet LogLevels::get() const {
  const std::lock_guard lock(mutex_);
  return levels_;
}

Severity LogLevels::least_of(std::string_view component) const {
  const auto it = levels_.components.find(component);
  return it == levels_.components.end() ? levels_.standard : it->second;
}

bool LogLevels::passes(Severity severity, std::string_view component) {
  const std::lock_guard lock(mutex_);
  const auto it = spoken_.find(component);
  if (it != spoken_.end()) return severity >= it->second.least;
  const Severity least = least_of(component);
  if (spoken_.size() < kMostComponents) spoken_.emplace(component, Spoken{least});
  return severity >= least;
}

std::vector<std::string> LogLevels::components() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  out.reserve(spoken_.size());
  for (const auto& [component, spoken] : spoken_) out.push_back(component);
  return out;
}

}  // namespace drover
