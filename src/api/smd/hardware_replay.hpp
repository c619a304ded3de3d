// What came into and went out of places, read out of the change log: from what is there now back,
// change by change.
#pragma once

#include "api/smd/hardware_items.hpp"
#include "cluster/bmc/bmc.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

enum class HardwareEventType : uint8_t {
  added,
  removed,
  scanned,  ///< SMD's; never found here: a look that finds nothing new is no change
  detected  ///< by the first look there
};
std::span<const std::string_view> enum_names(HardwareEventType);

struct HardwareEvent {
  std::string id;  ///< the place
  std::string fru_id;
  int64_t time_ms = 0;
  HardwareEventType type = HardwareEventType::added;
  uint64_t sequence = 0;  ///< of a change of that moment
  size_t order = 0;       ///< among those of that moment
};

/// Kinds of objects whose changes it reads.
inline constexpr std::array<std::string_view, 3> kHardwareHistoryKinds{
    cluster::kBmcKind, cluster::kPartKind, cluster::kKnownHardwareKind};

/// Executor's thread only; the model outlives it.
class HardwareReplay {
 public:
  /// `said`: what clients said, as it is now.
  HardwareReplay(const cluster::Model& model, cluster::KnownHardwareMap said);

  /// A change that came after the replay began; in the order of the feed. Of units that were not
  /// looked at yet it is kept, since the model has it in it already.
  void came(const store::Change& change);
  /// Goes back over a change; the newest first.
  void undo(const store::Change& change);
  /// All that was found, the oldest first.
  std::vector<HardwareEvent> finish();

  /// What belongs together: one BMC, the nodes behind it and what clients said of their places.
  /// Empty when the change is about no place.
  [[nodiscard]] std::string unit_of(std::string_view kind, std::string_view key) const;
  /// Names of the nodes of a unit.
  [[nodiscard]] std::set<std::string> nodes_of(const std::string& unit) const;

 private:
  using Places = std::map<std::string, std::string>;  ///< what sits there, by place
  struct Unit {
    std::optional<cluster::ManagedBmc> bmc;
    std::map<std::string, cluster::NodeParts> nodes;  ///< by xname
    cluster::KnownHardwareMap said;
    Places after;  ///< as it was after the changes that are being undone
    int64_t time_ms = 0;
    uint64_t sequence = 0;
    bool open = false;
  };
  Unit& unit(const std::string& name);
  void go_back(Unit& unit, const store::Change& change) const;
  void close(Unit& unit);
  static Places places_of(const Unit& unit);

  const cluster::Model& model_;
  cluster::KnownHardwareMap said_;
  std::map<std::string, std::string, std::less<>> xnames_;  ///< of nodes, by name
  std::multimap<std::string, std::string> nodes_;           ///< names of nodes, by unit
  std::map<std::string, Unit> units_;
  std::vector<store::Change> newer_;
  std::vector<HardwareEvent> events_;
};

}  // namespace drover::api::smd
