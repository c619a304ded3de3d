// The bodies of SMD's /State/Components, for the contract: what is sent and given. Requests are
// read member by member (Members), since SMD's clients leave out, add and spell as they like.
#pragma once

#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

struct ComponentForm {
  static constexpr std::string_view kTypeName = "SmdComponent";
  std::string id;
  std::optional<std::string> type, state, flag, software_status, role, sub_role, subtype, net_type,
      arch, hw_class;
  std::optional<bool> enabled, no_reservations, locked;
  std::optional<uint64_t> nid;
  void describe(Visitor& v);
};

struct ComponentArray {
  static constexpr std::string_view kTypeName = "SmdComponents";
  std::vector<ComponentForm> components;
  void describe(Visitor& v);
};

struct ComponentsPost {
  static constexpr std::string_view kTypeName = "SmdComponentsPost";
  std::vector<ComponentForm> components;
  std::optional<bool> force;
  void describe(Visitor& v);
};

struct ComponentPut {
  static constexpr std::string_view kTypeName = "SmdComponentPut";
  ComponentForm component;
  std::optional<bool> force;
  void describe(Visitor& v);
};

/// Of all PATCHes below a component and of many; each takes some of it.
struct ComponentPatch {
  static constexpr std::string_view kTypeName = "SmdComponentPatch";
  std::optional<std::vector<std::string>> ids;
  std::optional<std::string> state, flag, software_status, role, sub_role;
  std::optional<bool> enabled, force;
  std::optional<uint64_t> nid;
  std::optional<std::vector<ComponentForm>> components;
  void describe(Visitor& v);
};

struct ComponentQuery {
  static constexpr std::string_view kTypeName = "SmdComponentQuery";
  std::optional<std::vector<std::string>> ids, nid_ranges, type, state, flag, role, sub_role,
      enabled, software_status, subtype, arch, hw_class, nid, nid_start, nid_end;
  std::optional<std::string> group, partition;
  std::optional<bool> state_only, flag_only, role_only, nid_only;
  void describe(Visitor& v);
};

struct ServiceValues {
  static constexpr std::string_view kTypeName = "SmdServiceValues";
  std::optional<std::vector<std::string>> arch, hw_class, flag, net_type, role, sub_role, state,
      type;
  void describe(Visitor& v);
};

}  // namespace drover::api::smd
