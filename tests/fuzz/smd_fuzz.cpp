// Bodies of SMD's clients: nothing in them breaks the readers, and what is taken keeps to the
// rules.
#include "api/smd/component_input.hpp"
#include "api/smd/endpoint_input.hpp"
#include "base/json_values.hpp"
#include "cluster/bmc/bmc.hpp"
#include "cluster/xname.hpp"
#include "fuzz.hpp"

#include <set>
#include <string>

using drover::fuzz::require;
namespace smd = drover::api::smd;

DROVER_FUZZ_TARGET(input) {
  if (const auto xname = drover::cluster::parse_xname(input)) {
    const auto again = drover::cluster::parse_xname(xname->text);
    require(again == xname, "a canonical xname is what it is");
    const std::string parent = drover::cluster::parent_xname(xname->text);
    require(parent.empty() || drover::cluster::parse_xname(parent).has_value(), "so is its parent");
  }
  const auto body = drover::parse_json(input);
  if (!body) return;
  for (const auto& one : smd::read_components(*body).components) {
    require(one.says->state.has_value(), "a component that is made has a state");
  }
  (void)smd::read_nids(*body);
  for (const auto kind :
       {smd::PatchKind::state_data, smd::PatchKind::flag_only, smd::PatchKind::enabled,
        smd::PatchKind::software_status, smd::PatchKind::role, smd::PatchKind::nid}) {
    std::string malformed;
    (void)smd::read_patch(*body, kind, malformed);
  }
  for (const auto* each : smd::endpoint_bodies(*body)) {
    std::string malformed;
    const auto says = smd::read_endpoint(*each, {}, "", malformed);
    if (!says || !malformed.empty()) continue;
    drover::cluster::ManagedBmc again = says->bmc;
    require(normalise(again).has_value() && again == says->bmc, "what is taken is canonical");
    if (!says->bmc.inventory) continue;
    require(check(*says->bmc.inventory).has_value(), "an inventory keeps to its bounds");
    const auto places = drover::cluster::system_places(says->bmc.inventory->systems);
    require(std::set(places.begin(), places.end()).size() == places.size(), "a place each");
  }
}
