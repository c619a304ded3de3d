// Limits of the power that machines may draw: what their BMCs offer, and what is asked of many.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// One place at which a machine's power is limited. Watts.
struct PowerCap {
  static constexpr std::string_view kTypeName = "PowerCap";
  std::string name;
  uint32_t limit = 0;  ///< 0: none
  std::optional<uint32_t> least;
  std::optional<uint32_t> most;
  bool operator==(const PowerCap&) const = default;
  void describe(Visitor& v);
};

/// All of one machine; kept as the result of its node in an operation.
struct PowerCaps {
  static constexpr std::string_view kTypeName = "PowerCaps";
  std::vector<PowerCap> caps;
  bool operator==(const PowerCaps&) const = default;
  void describe(Visitor& v);
};

/// Of one machine: watts by name; 0 takes a limit away. The empty name is the first that it has.
using CapWishes = std::map<std::string, uint32_t>;

/// The body of POST /power-caps, kept with its operation.
struct CapRequest {
  static constexpr std::string_view kTypeName = "PowerCapRequest";
  std::string nodes;
  std::optional<uint32_t> watts;
  std::map<std::string, CapWishes> wishes = {};  ///< by node
  std::map<std::string, std::string> left_out = {};
  uint32_t at_a_time = 100;
  std::string why;
  bool operator==(const CapRequest&) const = default;
  void describe(Visitor& v);
  /// Whether anything is to be changed.
  [[nodiscard]] bool sets() const { return watts.has_value() || !wishes.empty(); }
  /// What is to be changed of a node.
  [[nodiscard]] CapWishes wishes_of(const std::string& node) const;
};

/// Ok when the numbers are within their bounds: 1 to 10,000 nodes at a time, up to 1,000,000 W.
Status check(const CapRequest& request);

}  // namespace drover::cluster
