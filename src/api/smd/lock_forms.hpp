// The bodies of SMD's /locks, for the contract.
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

struct KeyForm {
  static constexpr std::string_view kTypeName = "SmdLockKey";
  std::string id, key;
  void describe(Visitor& v);
};
/// Of all requests below /locks; each takes some of it. Filters of components may stand beside.
struct LockRequest {
  static constexpr std::string_view kTypeName = "SmdLockRequest";
  std::optional<std::vector<std::string>> ids, type, state, role, group, partition;
  std::optional<std::string> model;
  std::optional<int64_t> minutes;
  std::optional<std::vector<KeyForm>> reservation_keys, deputy_keys;
  void describe(Visitor& v);
};
struct LockFailure {
  static constexpr std::string_view kTypeName = "SmdLockFailure";
  std::string id, reason;
  void describe(Visitor& v);
};
struct LockCounts {
  static constexpr std::string_view kTypeName = "SmdLockCounts";
  uint64_t total = 0, success = 0, failure = 0;
  void describe(Visitor& v);
};
struct LockIds {
  static constexpr std::string_view kTypeName = "SmdLockSuccess";
  std::vector<std::string> ids;
  void describe(Visitor& v);
};
struct LockResult {
  static constexpr std::string_view kTypeName = "SmdLockResult";
  LockCounts counts;
  LockIds success;
  std::vector<LockFailure> failure;
  void describe(Visitor& v);
};
struct ReservationForm {
  static constexpr std::string_view kTypeName = "SmdReservation";
  std::string id;
  std::optional<std::string> deputy_key, key, created, expires;
  void describe(Visitor& v);
};
struct ReservationResult {
  static constexpr std::string_view kTypeName = "SmdReservationResult";
  std::vector<ReservationForm> success;
  std::vector<LockFailure> failure;
  void describe(Visitor& v);
};
struct LockStatusForm {
  static constexpr std::string_view kTypeName = "SmdLockStatus";
  std::string id;
  bool locked = false, reserved = false, disabled = false;
  std::optional<std::string> created, expires;
  void describe(Visitor& v);
};
struct LockStatusList {
  static constexpr std::string_view kTypeName = "SmdLockStatusList";
  std::vector<LockStatusForm> components;
  std::optional<std::vector<std::string>> not_found;
  void describe(Visitor& v);
};

}  // namespace drover::api::smd
