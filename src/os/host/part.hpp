// Part: one thing a machine is made of, as the inventory stores and sends it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::os {

/// A processor, DIMM, disk, adapter .. of a node. (kind, slot) names it within its node. Holds
/// stable facts only: reading an unchanged machine again gives equal parts, byte for byte.
struct Part {
  /// cpu, cache, numa, memory, dimm, disk, nic, hca, pci, gpu, board, firmware or os.
  std::string kind;
  std::string slot;    ///< unique within the kind: "socket0", "DIMM_A1", "nvme0n1", "0000:3b:00.0"
  std::string serial;  ///< "" when it has or shows none
  std::vector<std::pair<std::string, std::string>> attributes;  ///< sorted by name, no name twice

  bool operator==(const Part&) const = default;

  /// Adds an attribute; an empty value is not known and adds nothing.
  void set(std::string_view name, std::string value) {
    if (!value.empty()) attributes.emplace_back(name, std::move(value));
  }
  void set(std::string_view name, const std::optional<uint64_t>& value) {
    if (value) attributes.emplace_back(name, std::to_string(*value));
  }
  /// The attribute's value, "" when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const {
    const auto found = std::find_if(attributes.begin(), attributes.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == attributes.end() ? std::string_view() : found->second;
  }
};

}  // namespace drover::os
