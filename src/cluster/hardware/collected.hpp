// What a look through a BMC becomes in the store: the object of kind `bmcs`, changed only where the
// look found something else than the last one.
#pragma once

#include "base/result.hpp"
#include "cluster/bmc/bmc.hpp"
#include "cluster/hardware/bmc_inventory.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace drover::cluster {

/// One look, successful when it has an inventory.
struct CollectedBmc {
  std::string address;  ///< host name or IP address, as its nodes have it
  std::string name;     ///< for one that is not known yet: an xname, or a name like a node's
  std::string user;
  std::optional<BmcInventory> inventory;
};

/// The body of POST /discover, kept with its operation.
struct CollectRequest {
  static constexpr std::string_view kTypeName = "CollectRequest";
  std::string nodes;
  uint32_t at_a_time = 200;
  uint32_t in_flight = 2;
  std::string why;
  bool operator==(const CollectRequest&) const = default;
  void describe(Visitor& v);
};
/// Ok when the numbers are within their bounds: 1 to 2,000 BMCs at a time, 1 to 16 requests each.
Status check(const CollectRequest& request);

/// The body of POST /discover/bmcs.
struct FoundCollectRequest {
  static constexpr std::string_view kTypeName = "FoundCollectRequest";
  std::vector<std::string> bmcs;  ///< addresses, runs and networks; empty: all that were found
  uint32_t at_a_time = 200;
  uint32_t in_flight = 2;
  std::string why;
  bool operator==(const FoundCollectRequest&) const = default;
  void describe(Visitor& v);
};

/// What is kept with an operation that looks through BMCs.
struct CollectOrder {
  static constexpr std::string_view kTypeName = "CollectOrder";
  CollectRequest asked;
  bool found = false;  ///< `asked.nodes` are addresses of BMCs that scans have found
  void describe(Visitor& v);
};

/// Keeps it, inside a store mutation: in the object that has the address, else in a new one. After
/// a look that failed the inventory stays as it was, and the object says that the look failed.
/// Whether anything was written.
Result<bool> keep_collected(store::Transaction& tx, const CollectedBmc& collected);

/// For people: "1 machine, 14 parts, 2 NICs, 3 firmware versions, 0 warnings".
std::string summary_of(const BmcInventory& inventory);

}  // namespace drover::cluster
