// Hardware in places that neither a BMC nor a node's agent tells of: what SMD's clients said sits
// there.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "store/store.hpp"

#include <map>
#include <string>
#include <string_view>

namespace drover::cluster {

/// Kind of these objects in the store; by xname.
inline constexpr std::string_view kKnownHardwareKind = "hardware";

struct KnownHardware {
  static constexpr std::string_view kTypeName = "KnownHardware";
  std::string xname;
  std::string fru_id;  ///< what tells the piece from all others
  std::string manufacturer;
  std::string part_number;
  std::string serial;
  RawJson location;  ///< an object: what belongs to the place
  RawJson fru;       ///< an object: what belongs to the piece
  bool operator==(const KnownHardware&) const = default;
  void describe(Visitor& v);
};
using KnownHardwareMap = std::map<std::string, KnownHardware, NaturalLess>;

/// All of them, by xname.
Result<KnownHardwareMap> known_hardware(store::Transaction& tx);

}  // namespace drover::cluster
