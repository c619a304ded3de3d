// What boot daemons know of machines on the wire: leases, and what each machine did lately.
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::api {

enum class BootLeaseState : uint8_t { offered, leased, free, quarantined, reserved };
std::span<const std::string_view> enum_names(BootLeaseState);

/// An address that a boot daemon gives out.
struct BootLease {
  static constexpr std::string_view kTypeName = "BootLease";
  std::string address;
  std::string mac;   ///< empty: nobody is remembered, or it asked without one
  std::string node;  ///< empty: no node has that MAC
  std::string network;
  BootLeaseState state = BootLeaseState::free;
  std::string name;  ///< what the client calls itself
  WallTime since{};
  WallTime expires{};  ///< zero: never
  std::string daemon;
  void describe(Visitor& v);
};

/// One thing that a machine did, and what came of it.
struct BootTraceEvent {
  static constexpr std::string_view kTypeName = "BootTraceEvent";
  WallTime time{};
  std::string mac;
  std::string node;
  std::string address;
  std::string what;
  std::string outcome;
  bool ok = true;
  std::string daemon;
  void describe(Visitor& v);
};

struct BootLeasesQuery {
  static constexpr std::string_view kTypeName = "BootLeasesQuery";
  void describe(Visitor&) {}
};
struct BootTraceQuery {
  static constexpr std::string_view kTypeName = "BootTraceQuery";
  std::string node;
  std::string mac;
  uint64_t events = 0;
  void describe(Visitor& v);
};

/// Where a boot daemon takes these, over its link to the master alone; it answers one line for each
/// lease or event.
inline constexpr std::string_view kBootLeasesPath = "/boot/leases";
inline constexpr std::string_view kBootTracePath = "/boot/trace";

}  // namespace drover::api
