// Where makes of BMCs differ from the standard, as data.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace drover::hardware {

/// What is done differently. All false is the standard's way.
struct RedfishQuirks {
  bool no_expand = false;   ///< $expand is announced and does not work, or is slower than without
  bool basic_only = false;  ///< sessions are announced and do not work
  bool boot_needs_mode = false;  ///< an override of the boot device is refused without its mode
  size_t in_flight = 0;          ///< requests at a time; 0: as configured
};

/// One make: rows whose texts, where not empty, are all found in what the service root says, in any
/// case. Rows add up.
struct RedfishQuirkRow {
  std::string_view vendor;
  std::string_view product;
  RedfishQuirks quirks;
  std::string_view why;  ///< what was seen, where
};

std::span<const RedfishQuirkRow> redfish_quirk_rows();

/// What holds for a BMC whose root says so.
RedfishQuirks redfish_quirks(std::string_view vendor, std::string_view product);

}  // namespace drover::hardware
