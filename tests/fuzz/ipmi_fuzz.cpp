// What ipmitool prints of a BMC, which may be anything that the BMC says.
#include "fuzz.hpp"
#include "hardware/ipmi/ipmi_sensors.hpp"
#include "hardware/ipmi/ipmi_visit.hpp"

#include <string>

DROVER_FUZZ_TARGET(input) {
  using namespace drover;
  using namespace drover::hardware;
  (void)read_ipmi_power(input);
  (void)read_ipmi_boot(input);
  const auto all = read_ipmi_sensors(input);
  fuzz::require(all.readings.size() <= cluster::kMaxBmcList, "the list has its bound");
  for (const cluster::BmcReading& reading : all.readings) {
    for (const std::string& text : {reading.name, reading.unit}) {
      fuzz::require(text.size() <= cluster::kMaxBmcText, "texts have their bound");
      fuzz::require(text.find('\x1b') == std::string::npos, "terminals are not spoken to");
    }
  }
}
