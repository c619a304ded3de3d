// What the master knows of how nodes came up: their steps, their hooks, their files.
#pragma once

#include "cluster/content/node_up.hpp"

#include <optional>
#include <string>
#include <vector>

namespace drover::api {

/// How a node stands to the files that it shall have.
struct OverlayState {
  static constexpr std::string_view kTypeName = "OverlayState";
  std::string node;
  std::string state;  ///< current, pending, failed, unreached or none
  uint32_t files = 0;
  WallTime applied{};  ///< when it had all of them; zero: never
  std::string why;     ///< of failed and unreached
  void describe(Visitor& v);
};

class NodeUpSource {
 public:
  NodeUpSource() = default;
  NodeUpSource(const NodeUpSource&) = delete;
  NodeUpSource& operator=(const NodeUpSource&) = delete;
  virtual ~NodeUpSource() = default;
  /// Nothing when the node took no steps since it is known.
  [[nodiscard]] virtual std::optional<cluster::NodeUpRun> last_run(const std::string& node) = 0;
  /// The hooks that would run for a node, in their order.
  [[nodiscard]] virtual std::vector<std::string> hooks() = 0;
  /// Has a node take its steps, and its hooks run, again. unreachable when it is not linked,
  /// conflict while it takes them.
  virtual Status run_again(const std::string& node) = 0;
  [[nodiscard]] virtual OverlayState overlay_state(const std::string& node) = 0;
};

}  // namespace drover::api
