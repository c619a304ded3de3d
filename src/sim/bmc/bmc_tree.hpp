// The resources of an emulated BMC: what a GET of each path says.
#pragma once

#include "sim/bmc/bmc_board.hpp"
#include "sim/bmc/bmc_state.hpp"
#include "sim/bmc/bmc_traits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::sim {

inline constexpr std::string_view kBmcRoot = "/redfish/v1";

/// The JSON text of the resource at `path` (without a slash at the end, below kBmcRoot); nothing
/// when there is none. `skip` is the number of members left out at the front of a collection,
/// `expand` puts whole members into it. Shaped after the schemas of DSP0268.
std::optional<std::string> bmc_resource(const BmcTraits& traits, const BmcMachines& machines,
                                        const BmcBoard& board, std::string_view path, bool expand,
                                        uint32_t skip);

/// The number of the system that `path` names or lies below; nothing when it names none.
std::optional<uint32_t> bmc_system_of(const BmcTraits& traits, std::string_view path);
/// "/redfish/v1/Systems/Node0".
std::string bmc_system_path(const BmcTraits& traits, uint32_t system);
/// "/redfish/v1/Systems/Node0/EthernetInterfaces/0".
std::string bmc_nic_path(const BmcTraits& traits, uint32_t system, uint32_t nic);
/// MAC of a NIC as it is made: 02:BB:... from the numbers of BMC, system and NIC.
std::string bmc_nic_mac(const BmcTraits& traits, uint32_t system, uint32_t nic);

}  // namespace drover::sim
