// The log levels of a running daemon: what its settings say, and what an operator has changed by
// hand until the next start.
#pragma once

#include "api/daemon_control.hpp"
#include "base/log_levels.hpp"
#include "cluster/settings.hpp"

#include <map>
#include <string>

namespace drover::daemons {

/// Executor's thread; levels() from any.
class LogControl {
 public:
  using Components = std::map<std::string, Severity, std::less<>>;
  /// `own` in force until the first configured().
  explicit LogControl(const cluster::Settings& own) { configured(own, {}); }

  [[nodiscard]] LogLevels& levels() { return levels_; }
  /// What settings say now: `in_force` with this host's `own` among them.
  void configured(const cluster::Settings& in_force, const cluster::Settings::Values& own);
  /// By hand, until the next start: all of it; "*" stands for every component that is not named.
  /// invalid_argument names the component or the level.
  Status by_hand(const std::map<std::string, std::string>& levels);
  [[nodiscard]] api::LogLevelsView view() const;

 private:
  void refresh();

  LogLevels levels_;
  LevelSet configured_;
  std::string standard_origin_ = "default";
  std::string components_origin_ = "default";
  Components by_hand_;  ///< "*" among them
};

}  // namespace drover::daemons
