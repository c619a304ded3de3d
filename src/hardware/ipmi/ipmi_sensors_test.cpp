// Sensors by ipmitool's words, good and strange.
#include "hardware/ipmi/ipmi_sensors.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

using cluster::BmcSensorKind;

TEST(ReadIpmiSensors, TakesWhatHasANumber) {
  const auto got = read_ipmi_sensors(
      "Loading IANA PEN Registry...\n"
      "Inlet Temp       | 23 degrees C      | ok\n"
      "CPU1 Temp        | 96 degrees C      | cr\n"
      "Fan1A            | 5400 RPM          | ok\r\n"
      "Voltage 1        | 1.25 Volts        | nc\n"
      "Pwr Consumption  | 210 Watts         | ok\n"
      "Intrusion        | 0x00              | ok\n"
      "Fan9             | no reading        | ns\n"
      "GPU Temp         | disabled          | ns\n");
  ASSERT_EQ(got.readings.size(), 5U);
  EXPECT_EQ(got.readings[0].name, "Inlet Temp");
  EXPECT_EQ(got.readings[0].unit, "Cel");
  EXPECT_EQ(got.readings[0].value, 23);
  EXPECT_EQ(got.readings[0].health, "OK");
  EXPECT_EQ(got.readings[1].health, "Critical");
  EXPECT_EQ(got.readings[2].kind, BmcSensorKind::fan);
  EXPECT_EQ(got.readings[3].value, 1.25);
  EXPECT_EQ(got.readings[3].health, "Warning");
  EXPECT_EQ(got.readings[4].kind, BmcSensorKind::power);
}

TEST(ReadIpmiSensors, HostileWordsAreHarmless) {
  EXPECT_TRUE(read_ipmi_sensors("").readings.empty());
  EXPECT_TRUE(read_ipmi_sensors("||||\n|1|\n \n|").readings.empty());
  EXPECT_TRUE(read_ipmi_sensors("a | nan | ok\nb | inf | ok\nc | 1e300 | ok\n").readings.empty());
  const auto got = read_ipmi_sensors("\x1b[2Jowned | 5 \x1b[31mlunches | \x07\n");
  ASSERT_EQ(got.readings.size(), 1U);
  for (const std::string& text : {got.readings[0].name, got.readings[0].unit}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  }
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "s | 1 Volts | ok\n";
  EXPECT_EQ(read_ipmi_sensors(many).readings.size(), cluster::kMaxBmcList);
}

}  // namespace
}  // namespace drover::hardware
