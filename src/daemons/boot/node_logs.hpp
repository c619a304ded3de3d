// One log for each node: what its kernel and its boot said, from the first packet on, also when it
// never came up; and on masters what its console said. On disk, rotated; read and followed from
// there.
#pragma once

#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/text_pattern.hpp"
#include "boot/io/rate_limit.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Who says a line.
enum class LogSource : uint8_t {
  boot,     ///< the boot services
  kernel,   ///< the node's kernel
  panic,    ///< a kernel's last words
  console,  ///< its serial console, as escape_console() writes it
  note,     ///< what became of the console, and who came and went
};
std::string_view name(LogSource source);

/// One line as it is on disk: "2026-11-22T10:00:00.000Z kernel: text".
struct NodeLogLine {
  WallTime time{};
  std::string source;
  std::string text;
};

/// One executor's thread; the disk is touched on a worker of its own. A log that cannot be written
/// costs its lines on disk and is told once; nothing else stops for it.
class NodeLogs {
 public:
  struct Limits {
    uint64_t file_bytes = uint64_t{4} << 20;  ///< then it becomes NODE.log.1, and a new one begins
    Duration flush = std::chrono::milliseconds(200);  ///< at least, between two writings
    uint64_t unwritten = uint64_t{64} << 20;  ///< bytes of all that wait for a disk that hangs
  };
  /// Which lines of a node are asked for.
  struct Wanted {
    std::shared_ptr<const TextPattern> grep;  ///< on "source: text"; null: all
    WallTime since{};
    size_t lines = 0;  ///< the newest so many of those; 0: all
  };
  using Found = Callback<void(Result<std::vector<NodeLogLine>>)>;
  using Listener = Callback<void(const std::string& node, const NodeLogLine& line)>;

  NodeLogs(Executor& executor, Disk& disk, const Log& log, std::string dir, Limits limits);
  ~NodeLogs();

  /// Adds a line; control characters are escaped.
  void add(const std::string& node, LogSource source, std::string_view text);
  /// The same of something that was so a moment ago.
  void add_at(const std::string& node, LogSource source, WallTime time, std::string_view text);
  /// Adds a line on what was refused in the node's name: by whomever, so only so many a second that
  /// they cannot push the rest of the log out.
  void add_refusal(const std::string& node, std::string_view text);
  /// Adds lines as os::KernelLog gives them; those of this boot that were told before are left out.
  void add_kernel(const std::string& node, std::string_view lines);
  /// The node boots anew: its kernel counts from the beginning.
  void boots(const std::string& node);
  /// Told of each kernel that gives up, with its reason. One listener.
  void on_panic(Callback<void(const std::string& node, std::string_view why)> told) {
    on_panic_ = std::move(told);
  }
  /// Told of each line as it is added. One listener.
  void on_line(Listener listener) { on_line_ = std::move(listener); }

  /// The node's lines, oldest first: all that were added before this call and none after it. None
  /// when there is no log of it. `found` runs once, never in here; not when this is gone by then.
  void read(const std::string& node, Wanted wanted, Found found);
  [[nodiscard]] std::string path_of(const std::string& node) const;

  /// Whether a line is wanted, its number aside.
  static bool is_wanted(const Wanted& wanted, const NodeLogLine& line);

 private:
  struct NodeLog {
    std::string unwritten;
    uint64_t next_sequence = 0;  ///< of the kernel's lines
  };

  void put(const std::string& node, LogSource source, WallTime time, std::string text);
  void arm();
  void flush();
  void write_out();

  Executor& executor_;
  Disk& disk_;
  Log log_;
  std::string dir_;
  Limits limits_;
  std::unique_ptr<Worker> worker_;
  std::map<std::string, NodeLog> logs_;
  Timer timer_;
  boot::io::RateLimiter refusals_{{.per_second = 1, .burst = 32}};
  uint64_t unwritten_ = 0;  ///< bytes of all that are not on disk yet
  bool armed_ = false;
  bool due_ = false;    ///< lines wait until a job is done
  size_t writing_ = 0;  ///< jobs given to the worker
  Duration pause_;      ///< before the next of them
  bool failed_ = false;
  Callback<void(const std::string& node, std::string_view why)> on_panic_;
  Listener on_line_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
