// Inventory on the master's side: reads what agents report, and brings the stored parts in line
// with it.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of part objects in the store; their key is "<node>/<kind>/<slot>".
inline constexpr std::string_view kPartKind = "part";

/// Limits of one report; more is too_large.
inline constexpr size_t kMaxReportBytes = size_t{1} << 20;
inline constexpr size_t kMaxParts = 4096;
inline constexpr size_t kMaxPartAttributes = 64;
inline constexpr size_t kMaxPartText = 1024;  ///< bytes of a serial, attribute name or value
inline constexpr size_t kMaxPartSlot = 256;

/// The API's PartKind is open: a newer agent may know parts that this master does not. A kind is a
/// lower-case word of at most 32 bytes; these are the ones in use.
inline constexpr std::string_view kPartKinds =
    "cpu dimm disk nic hca pci gpu firmware os board numa cache memory";

/// One replaceable or describable piece of a node.
struct Part {
  static constexpr std::string_view kTypeName = "Part";
  std::string node;
  std::string kind;
  std::string slot;    ///< unique within node and kind: "0", "eth0", "0000:03:00.0"
  std::string serial;  ///< empty: none known
  std::map<std::string, std::string> attributes;
  bool operator==(const Part&) const = default;
  void describe(Visitor& v);
};

/// What one node's agent found, checked. Parts are sorted by kind and slot; `node` is not set yet.
struct InventoryReport {
  std::vector<Part> parts;
  NodeSummary summary;
};

/// Reads {"parts":[{"kind","slot","serial","attributes":{..}}],"summary":{..}}. Numbers and truth
/// values among the attributes become their text. Errors (invalid_argument, too_large) name the
/// path.
Result<InventoryReport> parse_inventory(std::string_view text);

struct InventoryOutcome {
  size_t inserted = 0;
  size_t updated = 0;
  size_t removed = 0;
  bool created_node = false;
  bool summary_changed = false;
  bool operator==(const InventoryOutcome&) const = default;
};

/// Inside a store mutation: makes the stored parts and summary of `node` equal to the report, and
/// makes the node (service=discovered, id `fresh_id`) when it is not there. A report that changes
/// nothing writes nothing.
Result<InventoryOutcome> apply_inventory(store::Transaction& tx, const std::string& node,
                                         NodeRole role, const InventoryReport& report,
                                         const std::string& fresh_id);

std::string part_key(std::string_view node, std::string_view kind, std::string_view slot);

}  // namespace drover::cluster
