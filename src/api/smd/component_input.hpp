// What SMD's clients send about components, read and checked with SMD's words for what is wrong.
#pragma once

#include "api/smd/manners.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "cluster/bmc/smd_state.hpp"
#include "cluster/xname.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

/// What is said of a component; what is not said is absent. Words are in SMD's case.
struct ComponentSays {
  std::optional<cluster::SmdState> state;
  std::optional<cluster::SmdFlag> flag;
  std::optional<bool> enabled, locked, no_reservations;
  std::optional<std::string> software_status, role, sub_role, subtype, net_type, arch, hw_class;
  std::optional<uint64_t> nid;
};

/// One saying may be of many components.
using SaidPointer = std::shared_ptr<const ComponentSays>;

struct NamedComponent {
  cluster::Xname id;
  SaidPointer says;  ///< never null
};

/// Malformed: a member of the wrong type (400, or 500 where faults are wanted). Otherwise an error.
struct ComponentInput {
  std::vector<NamedComponent> components;
  std::string malformed;
  std::optional<Error> error;
};

/// {"Components":[{ID,State,..}]}; those without an ID are left out, as SMD does.
ComponentInput read_components(const json::value& body);
/// {"Component":{..}} of the xname in the path.
ComponentInput read_component(const json::value& body, const cluster::Xname& at);

/// Which of a component's members a PATCH is about.
enum class PatchKind : uint8_t { state_data, flag_only, enabled, software_status, role, nid };
/// The members of a patch; `malformed` when one has the wrong type.
Result<ComponentSays> read_patch(const json::value& body, PatchKind kind, std::string& malformed);
/// {"Components":[{ID,NID}]}
ComponentInput read_nids(const json::value& body);

}  // namespace drover::api::smd
