#include "hardware/ipmi/ipmi_sensors.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace drover::hardware {
namespace {

using cluster::BmcReading;
using cluster::BmcSensorKind;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

/// Up to the separator, which goes with it.
std::string_view cut(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

struct UnitRow {
  std::string_view words;  ///< ipmitool's
  std::string_view unit;   ///< as BmcReading has them
  BmcSensorKind kind;
};
constexpr std::array<UnitRow, 6> kUnits{{{"degrees C", "Cel", BmcSensorKind::temperature},
                                         {"degrees F", "[degF]", BmcSensorKind::temperature},
                                         {"RPM", "RPM", BmcSensorKind::fan},
                                         {"Volts", "V", BmcSensorKind::voltage},
                                         {"Watts", "W", BmcSensorKind::power},
                                         {"percent", "%", BmcSensorKind::other}}};

/// Status of `sdr`: ok, or how it is not ok (nc, cr, nr: non-critical, critical, not recoverable).
std::string health_of(std::string_view status) {
  if (status == "ok") return "OK";
  if (status == "nc") return "Warning";
  return status == "cr" || status == "nr" ? "Critical" : "";
}

}  // namespace

cluster::BmcReadings read_ipmi_sensors(std::string_view output) {
  cluster::BmcReadings out;
  while (!output.empty() && out.readings.size() < cluster::kMaxBmcList) {
    std::string_view line = cut(output, '\n');
    const std::string_view name = trimmed(cut(line, '|'));
    const std::string_view value = trimmed(cut(line, '|'));
    const std::string_view status = trimmed(cut(line, '|'));
    double number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool counts = !name.empty() && read.ec == std::errc{} && number > -1e12 && number < 1e12;
    // "0x00" is the state of a discrete sensor and no number.
    if (!counts || value.starts_with("0x")) continue;
    const std::string_view words =
        trimmed(value.substr(static_cast<size_t>(read.ptr - value.data())));
    BmcReading reading;
    reading.name = cluster::bmc_text(name);
    reading.value = number;
    reading.health = health_of(status);
    reading.unit = cluster::bmc_text(words);
    for (const UnitRow& row : kUnits) {
      if (words != row.words) continue;
      reading.unit = row.unit;
      reading.kind = row.kind;
    }
    out.readings.push_back(std::move(reading));
  }
  return out;
}

IpmiSensorsVisit::IpmiSensorsVisit(IpmiTool& tool, const IpmiAccess& access, Done done) {
  tool.run(access, {"sdr"},
           [alive = alive_, done = std::move(done)](Result<std::string> said) mutable {
             if (!*alive) return;
             if (!said) return done(tl::unexpected(std::move(said).error()));
             auto readings = read_ipmi_sensors(*said);
             if (!readings.readings.empty()) return done(std::move(readings));
             done(fail(Code::unsupported, "the BMC shows no sensors of this machine"));
           });
}

IpmiSensorsVisit::~IpmiSensorsVisit() {
  *alive_ = false;
}

}  // namespace drover::hardware
