// What changes about an emulated BMC itself, apart from its machines: limits of power, its event
// log, its firmware and the tasks that change it.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "sim/bmc/bmc_traits.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::sim {

struct BmcLogEntry {
  uint64_t number = 0;
  WallTime created{};
  std::string severity;  ///< OK, Warning, Critical
  std::string message;
};

/// One SimpleUpdate.
struct BmcUpdate {
  MonoTime begin{};
  MonoTime end{};
  std::string image;
  std::string version;                ///< that it leads to
  std::vector<std::string> firmware;  ///< ids
  bool fails = false;
};

class BmcBoard {
 public:
  /// Both outlive it.
  BmcBoard(const BmcTraits& traits, Clock& clock);

  [[nodiscard]] uint32_t cap() const { return cap_; }
  /// Watts; 0: none.
  void set_cap(uint32_t watts) { cap_ = watts; }

  void log(std::string_view severity, std::string_view message);
  [[nodiscard]] const std::deque<BmcLogEntry>& entries() const { return log_; }
  /// Numbers begin anew, as they do on real ones.
  void clear_log();

  /// Ids of the firmware that it has.
  static std::vector<std::string> firmware();
  /// As of now; empty for another id.
  [[nodiscard]] std::string version(const std::string& id) const;
  /// Begins an update and gives its number. `image` ends in NAME-VERSION.EXTENSION. `targets`:
  /// paths of firmware; none: the BIOS. invalid_argument for what it does not take, conflict while
  /// another is under way.
  Result<uint64_t> update(const std::string& image, const std::vector<std::string>& targets);
  [[nodiscard]] const BmcUpdate* find_update(uint64_t number) const;
  [[nodiscard]] bool is_over(const BmcUpdate& update) const { return clock_.now() >= update.end; }
  /// 0 to 100.
  [[nodiscard]] int percent(const BmcUpdate& update) const;
  [[nodiscard]] size_t updates() const { return updates_.size(); }

 private:
  const BmcTraits& traits_;
  Clock& clock_;
  uint32_t cap_ = 0;
  uint64_t next_entry_ = 1;
  std::deque<BmcLogEntry> log_;
  std::vector<BmcUpdate> updates_;
};

}  // namespace drover::sim
