// Sensors of emulated BMCs, of both generations.
#include "hardware/redfish/sensors_visit.hpp"

#include "hardware/redfish/bmc_test_ground.hpp"

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::BmcReadings;
using cluster::BmcSensorKind;

class SensorsVisitTest : public testing::BmcGroundTest {
 protected:
  Result<BmcReadings> visit(size_t index = 0) {
    BmcClient client(ground_, access(index));
    std::optional<Result<BmcReadings>> result;
    const SensorsVisit visit(near_.executor(), client, "",
                             [&](Result<BmcReadings> got) { result = std::move(got); });
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 30min));
    return *std::move(result);
  }
};

TEST_F(SensorsVisitTest, ThermalAndPower) {
  add_bmc();
  const auto got = visit();
  ASSERT_TRUE(got) << got.error().text();
  ASSERT_EQ(got->readings.size(), 3U);
  EXPECT_EQ(got->readings[0].name, "CPU0");
  EXPECT_EQ(got->readings[0].value, 24);
  EXPECT_EQ(got->readings[0].upper_critical, 95);
  EXPECT_EQ(got->readings[1].kind, BmcSensorKind::fan);
  EXPECT_EQ(got->readings[2].kind, BmcSensorKind::power);
  EXPECT_EQ(got->readings[2].value, 14);
}

TEST_F(SensorsVisitTest, NewerOnesHaveSensors) {
  sim::BmcTraits traits;
  traits.sensors = true;
  traits.starts_on = true;
  add_bmc(traits);
  const auto got = visit();
  ASSERT_TRUE(got) << got.error().text();
  ASSERT_EQ(got->readings.size(), 3U);
  EXPECT_EQ(got->readings[0].name, "CPU0 Temp");
  EXPECT_EQ(got->readings[0].kind, BmcSensorKind::temperature);
  EXPECT_EQ(got->readings[0].value, 61.5);
  EXPECT_EQ(got->readings[0].upper_critical, 95);
  EXPECT_EQ(got->readings[1].name, "GPU0 Temp");
}

TEST_F(SensorsVisitTest, HostileBmcsEndItWithAnErrorOrWhatIsPlain) {
  for (const auto harm :
       {sim::BmcHostility::wrong_types, sim::BmcHostility::garbage,
        sim::BmcHostility::foreign_links, sim::BmcHostility::recursive, sim::BmcHostility::deep,
        sim::BmcHostility::huge, sim::BmcHostility::cut, sim::BmcHostility::failing}) {
    sim::BmcTraits traits;
    traits.hostility = harm;
    add_bmc(traits);
    EXPECT_FALSE(visit(bmcs_.size() - 1)) << enum_name(harm);
  }
}

}  // namespace
}  // namespace drover::hardware
