// The bodies of SMD's hardware inventory, for the contract. Requests are read member by member
// (hardware_changes.cpp).
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

/// A piece of hardware, wherever it is. Its type says which of the members *FRUInfo it has.
struct FruForm {
  static constexpr std::string_view kTypeName = "SmdHardwareFRU";
  std::string id, type, subtype, kind;
  void describe(Visitor& v);
};
/// A place with what sits in it. Its type says which of the members *LocationInfo it has.
struct HardwareForm {
  static constexpr std::string_view kTypeName = "SmdHardware";
  std::string id, type, status, kind;
  int64_t ordinal = 0;
  std::optional<FruForm> fru;
  void describe(Visitor& v);
};
struct HardwarePost {
  static constexpr std::string_view kTypeName = "SmdHardwarePost";
  std::vector<HardwareForm> hardware;
  void describe(Visitor& v);
};
/// Lists by type.
struct HardwareQueryForm {
  static constexpr std::string_view kTypeName = "SmdHardwareQuery";
  std::string xname, format;
  void describe(Visitor& v);
};

struct HardwareEventForm {
  static constexpr std::string_view kTypeName = "SmdHardwareEvent";
  std::string id, fru, time, kind;
  void describe(Visitor& v);
};
struct HardwareHistoryForm {
  static constexpr std::string_view kTypeName = "SmdHardwareHistory";
  std::string id;
  std::vector<HardwareEventForm> events;
  void describe(Visitor& v);
};
struct HardwareHistories {
  static constexpr std::string_view kTypeName = "SmdHardwareHistories";
  std::vector<HardwareHistoryForm> components;
  void describe(Visitor& v);
};

}  // namespace drover::api::smd
