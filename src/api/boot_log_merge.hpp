// The logs of one node that several boot daemons keep, as one. Pure.
#pragma once

#include "api/boot_view.hpp"

#include <cstddef>
#include <deque>
#include <vector>

namespace drover::api {

/// Takes each daemon's lines in the daemon's own order, by node in natural order and then by time;
/// gives all of them in that order. What two daemons say alike at the same moment is told once.
class BootLogMerge {
 public:
  /// `most` lines of each node, the newest; 0: all.
  BootLogMerge(size_t sources, size_t most) : sources_(sources), most_(most) {}

  void add(size_t source, BootLogLine line);
  /// No more lines come from there.
  void close(size_t source) { sources_.at(source).closed = true; }
  /// What is in order now, whatever may still come.
  [[nodiscard]] std::vector<BootLogLine> take();
  /// Lines of one that wait for the others.
  [[nodiscard]] size_t waiting(size_t source) const { return sources_.at(source).lines.size(); }
  /// Every source is closed; take() has given everything.
  [[nodiscard]] bool done() const;

 private:
  struct Source {
    std::deque<BootLogLine> lines;
    bool closed = false;
  };

  [[nodiscard]] Source* first();
  void put(BootLogLine line, std::vector<BootLogLine>& out);
  void give(std::vector<BootLogLine>& out);

  std::vector<Source> sources_;
  size_t most_;
  std::deque<BootLogLine> newest_;  ///< of the node in hand, where `most_` counts
  BootLogLine last_;                ///< put last, without its daemon
};

}  // namespace drover::api
