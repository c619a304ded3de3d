// How far each machine has come on its way up, from what the boot services see: one report for each
// stage that is reached, and one for each that takes too long.
#pragma once

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cluster/boot_report.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Where one boot stands.
struct BootProgress {
  std::string node;
  cluster::PhaseState stage = cluster::PhaseState::unknown;
  WallTime since{};     ///< when the stage was reached
  std::string why;      ///< what was seen last
  std::string item;     ///< what it fetches: kernel, image ..; empty: nothing
  uint64_t done = 0;    ///< bytes of it
  uint64_t total = 0;   ///< of how many; 0: not known
  WallTime deadline{};  ///< when it is given up; zero: never
};

/// One executor's thread.
class StageBook {
 public:
  using Report = Callback<void(const cluster::BootReport&)>;

  /// A machine is given so long for the stage after `stage` to be reached, counted from the last
  /// sign of it; zero: no limit. About ten times what emulated firmware was seen to take.
  static Duration patience(cluster::PhaseState stage);

  StageBook(Executor& executor, Report report) : executor_(executor), report_(std::move(report)) {}

  /// A sign of the machine: it is at `stage`. Firmware and loader each ask for an address, so a
  /// request for one does not throw a boot back that has just begun.
  void seen(const std::string& node, cluster::PhaseState stage, std::string_view why);
  /// The boot that begins uses up the boot-next that was asked for then (zero: none): said with the
  /// first report that the kernel runs, so that one that failed before has used nothing.
  void uses(const std::string& node, WallTime asked);
  /// Bytes of what it fetches.
  void progress(const std::string& node, std::string_view item, uint64_t done, uint64_t total);
  /// It gave up, and says why; `after` is the time of what the cluster knows already, by a clock
  /// that may be ahead of this host's.
  void failed(const std::string& node, std::string_view why, WallTime after = {});
  /// It has its script and goes on where nobody here sees it: nothing is waited for, and what it
  /// uses up is used up.
  void left(const std::string& node, std::string_view why);
  /// It is up, or gone from the model: nothing is waited for.
  void ended(const std::string& node);

  /// Told of each boot that begins or gets on, and of each that is over. One listener.
  using Watch = Callback<void(const BootProgress& boot, bool ended)>;
  void on_change(Watch watch) { watch_ = std::move(watch); }

  /// Whether the node is on its way up: seen, and not given up.
  [[nodiscard]] bool boots(const std::string& node) const;
  /// The boots under way, in natural order of names.
  [[nodiscard]] std::vector<BootProgress> under_way() const;

 private:
  struct Boot {
    BootProgress progress;
    MonoTime last{};
    WallTime once{};
    Timer deadline;
  };

  void move(Boot& boot, cluster::PhaseState stage, std::string_view why, WallTime after = {});
  void wait(Boot& boot);
  void tell(const Boot& boot);
  void too_late(const std::string& node);

  Executor& executor_;
  Report report_;
  Watch watch_;
  std::map<std::string, Boot, NaturalLess> boots_;
};

}  // namespace drover::daemons
