// Which severities are logged, per component. Changed while daemons run; read by every thread.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

std::optional<Severity> severity_from_name(std::string_view name);

/// Least severity per component; what is not named has the standard one.
struct LevelSet {
  Severity standard = Severity::info;
  std::map<std::string, Severity, std::less<>> components = {};
  bool operator==(const LevelSet&) const = default;
};

/// "link=debug,call=warning" as components of a set. invalid_argument names the part and the rule:
/// a component is lower-case letters, digits and '-', once.
Result<std::map<std::string, Severity, std::less<>>> parse_log_levels(std::string_view text);
/// The same as a rule of settings and options.
Status check_log_levels(const std::string& text);

/// The levels in force of one process, and the components that have spoken. Thread-safe.
class LogLevels {
 public:
  explicit LogLevels(LevelSet levels = {}) : levels_(std::move(levels)) {}
  void set(LevelSet levels);
  [[nodiscard]] LevelSet get() const;
  /// Whether a record is to be written. Notes the component's name.
  [[nodiscard]] bool passes(Severity severity, std::string_view component);
  /// Components that have tried to log so far, in order.
  [[nodiscard]] std::vector<std::string> components() const;

 private:
  struct Spoken {
    Severity least = Severity::info;
  };
  [[nodiscard]] Severity least_of(std::string_view component) const;

  mutable std::mutex mutex_;
  LevelSet levels_;
  std::map<std::string, Spoken, std::less<>> spoken_;  ///< with their level, to look up once
};

}  // namespace drover
