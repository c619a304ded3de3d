// The path decisions that an aggregator has heard from the masters, and what it tells its nodes.
#pragma once

#include "base/result.hpp"
#include "tree/path_planner.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// Pure. A decision with a higher epoch replaces one with a lower; aggregators' endpoints are kept
/// as last heard.
class PathBoard {
 public:
  /// A path_assignments message; returns the nodes whose decision is new.
  Result<std::vector<std::string>> take(std::string_view payload);
  /// The encoded PathSet for a node, empty when nothing is known for it.
  [[nodiscard]] std::string path_set(const std::string& node) const;
  [[nodiscard]] const tree::PathAssignment* find(const std::string& node) const;
  void forget(const std::string& node) { assignments_.erase(node); }

 private:
  std::map<std::string, std::vector<std::string>> endpoints_;
  std::map<std::string, tree::PathAssignment> assignments_;
};

}  // namespace drover::daemons
