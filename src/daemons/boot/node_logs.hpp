// One log for each node: what its kernel and its boot said, from the first packet on, also when it
// never came up. On disk, rotated; the newest lines in memory too.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Who says a line.
enum class LogSource : uint8_t { boot, kernel, panic };
std::string_view name(LogSource source);

/// One executor's thread; the disk is touched on a worker of its own. A log that cannot be written
/// costs its lines on disk and is told once; nothing else stops for it.
class NodeLogs {
 public:
  struct Limits {
    uint64_t file_bytes = uint64_t{4} << 20;  ///< then it becomes NODE.log.1, and a new one begins
    size_t lines_in_memory = 500;             ///< of each node
    Duration flush = std::chrono::milliseconds(200);
  };

  NodeLogs(Executor& executor, Disk& disk, const Log& log, std::string dir, Limits limits);
  ~NodeLogs();

  /// Adds a line; control characters are escaped.
  void add(const std::string& node, LogSource source, std::string_view text);
  /// Adds lines as os::KernelLog gives them; those of this boot that were told before are left out.
  void add_kernel(const std::string& node, std::string_view lines);
  /// The node boots anew: its kernel counts from the beginning.
  void boots(const std::string& node);
  /// The newest lines of a node, oldest first; at most `most`.
  [[nodiscard]] std::vector<std::string> tail(const std::string& node, size_t most) const;
  [[nodiscard]] std::string path_of(const std::string& node) const;

 private:
  struct NodeLog {
    std::deque<std::string> newest;
    std::string unwritten;
    uint64_t next_sequence = 0;  ///< of the kernel's lines
  };

  void put(NodeLog& log, const std::string& line);
  void flush();

  Executor& executor_;
  Disk& disk_;
  Log log_;
  std::string dir_;
  Limits limits_;
  std::unique_ptr<Worker> worker_;
  std::map<std::string, NodeLog> logs_;
  Timer timer_;
  bool armed_ = false;
  bool writing_ = false;
  bool failed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
