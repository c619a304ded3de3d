// Latest: the newest metric values of every node, in the memory of who gathers them.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "telemetry/sample.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::telemetry {

/// Values not heard of for so long are stale: a node that is well sends all of them each minute.
inline constexpr Duration kStaleAfter = std::chrono::seconds(90);

/// One node's values as people ask for them.
struct NodeMetrics {
  std::string node;
  WallTime time;       ///< of the newest sample, by the node's clock
  Duration age{};      ///< since it arrived here, by ours
  bool stale = false;  ///< too old, or the node was lost since
  /// Name and value, by metric number, the node's before its devices':
  /// "net_rx_bytes_per_second", then "net_rx_bytes_per_second/eth0".
  std::vector<std::pair<std::string, double>> values;
};

/// About 1 KiB per node. One thread.
class Latest {
 public:
  /// Takes a sample in. One that is up to a minute older than what is known came late, by a path
  /// that was left, and changes nothing; older still, the node's clock was set back.
  void apply(std::string_view node, const Sample& sample, MonoTime now);
  /// The same from bytes; the error of decode_sample() changes nothing.
  Status apply_bytes(std::string_view node, std::string_view bytes, MonoTime now);
  /// The node is not heard any more: its values stay, as stale ones, until it is.
  void lost(std::string_view node);
  void forget(std::string_view node);

  [[nodiscard]] size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::optional<NodeMetrics> find(std::string_view node, MonoTime now) const;
  /// One metric of one node, without making a list; nullopt when it is not known.
  [[nodiscard]] std::optional<double> value(std::string_view node, uint32_t id) const;
  /// All that is known of a node as a full sample, for a peer that knows nothing yet; nullopt when
  /// no full sample of it has arrived.
  [[nodiscard]] std::optional<Sample> full_sample(std::string_view node) const;

 private:
  struct Entry {
    int64_t time_ms = 0;
    MonoTime heard;
    bool complete = false;  ///< a full sample has been seen, so devices have names
    bool lost = false;
    std::vector<std::pair<uint32_t, double>> values;
    std::vector<std::string> devices;
  };
  std::map<std::string, Entry, std::less<>> nodes_;
};

}  // namespace drover::telemetry
