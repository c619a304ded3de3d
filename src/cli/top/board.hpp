// What `drover top` shows and how it answers to keys: state in, screens out. Pure; the terminal and
// the daemon are in run_top().
#pragma once

#include "base/clock.hpp"
#include "cli/top/frame.hpp"
#include "cli/top/keys.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drover::cli::top {

struct TopNode {
  std::string name;
  std::string role;
  std::string phase;  ///< with "?" where nobody vouches for it
  std::string service;
  std::string primary;
  std::string why;
  std::string since;  ///< RFC 3339
  uint64_t cpus = 0;
  std::optional<double> load = {};
  std::optional<double> cpu = {};           ///< percent busy
  std::optional<double> memory_used = {};   ///< bytes
  std::optional<double> memory_total = {};  ///< bytes
};

struct TopDaemon {
  std::string name;
  std::string role;
  std::string state;
  std::string version;
  std::string restarts;
  std::string why;
};

struct TopProblem {
  std::string severity;
  std::string text;
  std::string next;
};

/// One reading of the cluster.
struct TopData {
  std::string cluster;
  std::string status;
  std::string answered_by;
  std::vector<TopNode> nodes;
  std::vector<TopDaemon> daemons;
  std::vector<TopProblem> problems;
};

class Board {
 public:
  /// What the main part shows.
  enum class View { nodes, daemons, changes, help, node };
  enum class Sort { name, phase, load, cpu, memory, since };

  void take(TopData data);
  /// Every field of the node in details, as path and value; shown until the view is left.
  void take_details(std::vector<std::pair<std::string, std::string>> details);
  /// A line of the change log, newest last.
  void take_change(std::string line);
  /// Why what is shown is old; empty: it is not.
  void take_trouble(std::string trouble) { trouble_ = std::move(trouble); }

  /// False: leave.
  bool on_key(const Key& key);
  /// The node whose details are shown and wanted; nothing in other views.
  [[nodiscard]] std::optional<std::string> wanted_node() const;
  [[nodiscard]] View view() const { return view_; }

  /// The screen, exactly `height` rows; at least 40 columns and 10 rows are needed.
  [[nodiscard]] Frame frame(size_t width, size_t height, WallTime now);

 private:
  void arrange();
  void move(long by);
  bool on_text(const std::string& text);
  void on_filter_key(const Key& key);
  void leave_view();
  [[nodiscard]] size_t length() const;

  [[nodiscard]] std::vector<Row> head(size_t width, WallTime now) const;
  [[nodiscard]] Row foot(size_t width) const;
  [[nodiscard]] Row sums_row() const;
  [[nodiscard]] Row problem_row(size_t width) const;
  [[nodiscard]] std::vector<Row> list(size_t width, size_t height, WallTime now);
  [[nodiscard]] Row node_row(const TopNode& node, size_t width, WallTime now) const;
  [[nodiscard]] std::vector<Row> recent(size_t height) const;
  void add_nodes(Frame& to, size_t room, bool with_changes, WallTime now);
  [[nodiscard]] std::vector<Row> daemon_lines() const;
  [[nodiscard]] std::vector<Row> view_lines() const;

  TopData data_;
  std::vector<const TopNode*> shown_;  ///< into data_, filtered and sorted
  std::deque<std::string> changes_;
  std::vector<std::pair<std::string, std::string>> details_;
  std::string trouble_;
  std::string filter_;
  std::string filter_before_;  ///< while one is typed, for escape
  bool typing_ = false;
  View view_ = View::nodes;
  Sort sort_ = Sort::name;
  bool reversed_ = false;
  std::string selected_;   ///< a node's name: it stays selected when rows move
  size_t at_ = 0;          ///< place of the selection, or the first line of other views
  size_t top_ = 0;         ///< first row shown
  size_t name_width_ = 4;  ///< of the longest name
  size_t page_ = 1;        ///< rows of the list on the last screen
};

/// "name", "phase", ..
std::string_view sort_name(Board::Sort sort);

}  // namespace drover::cli::top
