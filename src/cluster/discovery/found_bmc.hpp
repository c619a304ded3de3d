// A BMC that a scan has found: what it says of itself to anybody. Kept by address, so that the next
// scan need not ask again, until somebody forgets it.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of these objects in the store; their key is the canonical address.
inline constexpr std::string_view kFoundBmcKind = "found-bmc";

/// Body of a store object of kind kFoundBmcKind. Texts are fit to be kept (bmc_text()).
struct FoundBmc {
  static constexpr std::string_view kTypeName = "FoundBmc";
  std::string address;
  uint16_t port = 0;   ///< of its Redfish service; 0: it speaks none
  bool plain = false;  ///< by HTTP alone: no password is ever sent there
  std::string redfish_version;
  std::string vendor;
  std::string product;
  std::string uuid;          ///< of its Redfish service, lower case
  uint16_t ipmi_port = 0;    ///< 0: it speaks no IPMI
  std::string ipmi_version;  ///< "2.0" or "1.5"; empty: it does not say
  WallTime found{};          ///< when it was found first
  bool operator==(const FoundBmc&) const = default;
  void describe(Visitor& v);
};

/// For people, the same for BMCs of one make: "Redfish 1.15.0 at port 443 (Contoso Controller),
/// IPMI 2.0".
std::string summary_of(const FoundBmc& bmc);

/// Keeps it, inside a store mutation; `found` is set here when it is new. What the scan did not ask
/// or hear this time (a port or version of 0 or nothing) stays as it was. Whether anything was
/// written.
Result<bool> keep_found(store::Transaction& tx, FoundBmc bmc);
/// All of them, in order of addresses as numbers.
Result<std::vector<FoundBmc>> found_bmcs(store::Transaction& tx);
Result<std::optional<FoundBmc>> found_bmc(store::Transaction& tx, const std::string& address);
/// not_found when there is none at the address, in any of its forms.
Status forget_found(store::Transaction& tx, std::string_view address);

/// The name of a BMC that nobody has named, from its canonical address: "bmc-10-1-0-7".
std::string bmc_name_of(std::string_view address);

}  // namespace drover::cluster
