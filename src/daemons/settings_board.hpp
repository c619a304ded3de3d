// The cluster's settings on one daemon: what it has heard from above, under what was set on this
// host, and what it passes on to those below.
#pragma once

#include "base/callback.hpp"
#include "base/log.hpp"
#include "cluster/settings.hpp"
#include "daemons/seams.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Who says so: a master's start (its incarnation), and the newest change that is included.
struct SettingsVersion {
  uint64_t term = 0;
  uint64_t version = 0;
  auto operator<=>(const SettingsVersion&) const = default;
};

/// Executor's thread only.
class SettingsBoard {
 public:
  using Values = cluster::Settings::Values;
  /// Called with what is in force, at each change of it.
  using Apply = Callback<void(const cluster::Settings&)>;

  /// `own`: what this host's flags, variables and file say; it is stronger than the cluster's.
  SettingsBoard(const Log& log, Values own);

  /// Adds a listener; it is called at once with what is in force now.
  void on_change(Apply apply);
  /// A Settings message. The way up decides as long as it has a master behind it; any other link is
  /// believed when it knows something newer. Returns whether it was taken, so is to be passed on.
  bool take(std::string_view payload, bool from_way_up);
  /// The master's own: what its store says.
  void put(SettingsVersion version, const cluster::Settings& settings);
  /// What this host says now, after its file was read again.
  void set_own(Values own);

  /// Settings message for those below; empty when nothing was heard yet.
  [[nodiscard]] std::string message(bool current) const;
  [[nodiscard]] const cluster::Settings& in_force() const { return in_force_; }
  [[nodiscard]] const SettingsVersion& version() const { return version_; }

 private:
  void refresh();

  Log log_;
  Values own_;
  Values heard_;
  SettingsVersion version_;
  cluster::Settings in_force_;
  std::vector<Apply> listeners_;
};

/// The settings that differ from their defaults in `timing`, for a daemon that was given times.
SettingsBoard::Values own_settings_of(const Timing& timing);
/// The times of the tree as settings say; what no setting says stays as in `timing`.
Timing with_settings(Timing timing, const cluster::Settings& settings);

}  // namespace drover::daemons
