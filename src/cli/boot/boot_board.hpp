// What `drover boot watch` knows of each node on its way up, and how it shows that. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::cli {

/// Phases are durable and come from the change log; bytes and deadlines from the boot daemons.
class BootBoard {
 public:
  /// A node's object as the API has it, or of a change, as of `revision`: an older one than is
  /// known says nothing. What changed of its phase is a line for take_lines() unless `quiet`.
  void take_node(const json::value& node, uint64_t revision, bool quiet = false);
  void forget(const std::string& node);
  /// An event of GET /boot/progress.
  void take_progress(const json::value& event);

  /// "   1234 ms  n1  kernel   fetches its kernel" for each change of a phase since the last call,
  /// times from `began` on.
  [[nodiscard]] std::string take_lines(WallTime began);
  /// The same as JSON lines: {"node","phase","since","why"}.
  [[nodiscard]] std::string take_json();

  /// The screen: one line a node and a last one with the totals, at most `height` lines; what moves
  /// first where not all have room.
  [[nodiscard]] std::vector<std::string> screen(size_t width, size_t height, WallTime now,
                                                bool colour) const;

  [[nodiscard]] size_t size() const { return nodes_.size(); }
  [[nodiscard]] size_t count(std::string_view phase) const;
  [[nodiscard]] bool all_up() const { return count("up") == nodes_.size(); }
  /// Nobody is waited for any more: each is up or its boot has failed.
  [[nodiscard]] bool settled() const { return count("up") + count("error") == nodes_.size(); }
  /// Folded names of those that are not up, each way with its phase: "n[1-2] error, n3 kernel".
  [[nodiscard]] std::string not_up() const;

 private:
  struct Progress {
    std::string stage;
    WallTime since{};
    std::string why;
    std::string item;
    uint64_t done = 0;
    uint64_t total = 0;
    WallTime deadline{};
  };
  struct Node {
    uint64_t revision = 0;
    std::string phase;
    WallTime since{};
    std::string why;
    std::optional<Progress> boot;
  };
  struct Moved {
    std::string node;
    std::string phase;
    WallTime since{};
    std::string why;
  };
  /// What is shown of a node: its phase, or the stage that a boot daemon has seen since then.
  static Progress shown(const Node& node);
  [[nodiscard]] std::string totals() const;

  std::map<std::string, Node, NaturalLess> nodes_;
  std::vector<Moved> moved_;
  size_t longest_ = 0;  ///< columns of the longest name
};

/// "[#####.....]  52%  12.3/23.6 MiB"; without a total only the bytes.
std::string progress_bar(uint64_t done, uint64_t total);

}  // namespace drover::cli
