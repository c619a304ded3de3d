// The bodies of SMD's node maps, power maps and discovery status, for the contract.
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

struct NodeMapForm {
  static constexpr std::string_view kTypeName = "SmdNodeMap";
  std::string id;
  uint64_t nid = 0;
  std::optional<std::string> role, sub_role;
  std::optional<RawJson> info;
  void describe(Visitor& v);
};
struct NodeMapArray {
  static constexpr std::string_view kTypeName = "SmdNodeMaps";
  std::vector<NodeMapForm> maps;
  void describe(Visitor& v);
};
struct PowerMapForm {
  static constexpr std::string_view kTypeName = "SmdPowerMap";
  std::string id;
  std::vector<std::string> powered_by;
  void describe(Visitor& v);
};

}  // namespace drover::api::smd
