#include "hardware/redfish/redfish_quirks.hpp"

#include <algorithm>
#include <array>

namespace drover::hardware {
namespace {

constexpr std::array kRows{
    RedfishQuirkRow{"supermicro",
                    "",
                    {.boot_needs_mode = true},
                    "PATCH of the boot device alone is refused; OpenStack's sushy sends the mode "
                    "along for the same reason"},
    RedfishQuirkRow{"cray",
                    "",
                    {.in_flight = 1},
                    "node controllers of EX cabinets serve one request after the other"},
};

bool holds(std::string_view text, std::string_view part) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::search(text, part, {}, lower, lower).begin() != text.end() || part.empty();
}

}  // namespace

std::span<const RedfishQuirkRow> redfish_quirk_rows() {
  return kRows;
}

RedfishQuirks redfish_quirks(std::string_view vendor, std::string_view product) {
  RedfishQuirks sum;
  for (const RedfishQuirkRow& row : kRows) {
    if (!holds(vendor, row.vendor) || !holds(product, row.product)) continue;
    sum.no_expand |= row.quirks.no_expand;
    sum.basic_only |= row.quirks.basic_only;
    sum.boot_needs_mode |= row.quirks.boot_needs_mode;
    if (row.quirks.in_flight != 0) {
      sum.in_flight =
          sum.in_flight == 0 ? row.quirks.in_flight : std::min(sum.in_flight, row.quirks.in_flight);
    }
  }
  return sum;
}

}  // namespace drover::hardware
