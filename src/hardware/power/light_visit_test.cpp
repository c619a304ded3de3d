// The light that people find a machine by, on emulated BMCs of several manners.
#include "hardware/power/light_visit.hpp"

#include "hardware/redfish/bmc_test_ground.hpp"

namespace drover::hardware {
namespace {

using namespace std::chrono_literals;
using cluster::IdentifyLight;

class LightVisitTest : public testing::BmcGroundTest {
 protected:
  Result<std::string> set(IdentifyLight light, size_t index = 0) {
    BmcClient client(ground_, access(index));
    PowerWish wish;
    wish.action = cluster::PowerAction::identify;
    wish.light = light;
    std::optional<Result<PowerOutcome>> result;
    const LightVisit visit(near_.executor(), client, std::move(wish),
                           [&](Result<PowerOutcome> got) { result = std::move(got); });
    EXPECT_TRUE(world_.run_until([&] { return result.has_value(); }, 10min));
    if (!*result) return tl::unexpected<Error>(result->error());
    return (*result)->said;
  }
  sim::EmulatedBmc& add(const std::string& light) {
    sim::BmcTraits traits;
    traits.light = light;
    traits.demands_etag = true;
    return add_bmc(traits).bmc();
  }
};

TEST_F(LightVisitTest, ByWordItBlinks) {
  auto& bmc = add("word");
  EXPECT_EQ(set(IdentifyLight::blink).value(), "light blinking");
  EXPECT_EQ(bmc.machines().at(0).light, "Blinking");
  EXPECT_EQ(set(IdentifyLight::on).value(), "light on");
  EXPECT_EQ(bmc.counts().patches, 2U);
  EXPECT_EQ(set(IdentifyLight::on).value(), "light on");
  EXPECT_EQ(bmc.counts().patches, 2U);  // it is so already
  EXPECT_EQ(set(IdentifyLight::off).value(), "light off");
  EXPECT_EQ(bmc.machines().at(0).light, "Off");
}

TEST_F(LightVisitTest, TheSimpleOneSaysWhatItDoes) {
  auto& bmc = add("simple");
  EXPECT_EQ(set(IdentifyLight::blink).value(), "light on");
  EXPECT_EQ(bmc.machines().at(0).light, "Lit");
  EXPECT_EQ(set(IdentifyLight::off).value(), "light off");
}

TEST_F(LightVisitTest, WithoutALightItSaysSo) {
  add("none");
  EXPECT_EQ(set(IdentifyLight::on).error().code, Code::unsupported);
}

TEST_F(LightVisitTest, HostileBmcsEndItWithAnError) {
  for (const auto harm :
       {sim::BmcHostility::wrong_types, sim::BmcHostility::garbage,
        sim::BmcHostility::foreign_links, sim::BmcHostility::recursive, sim::BmcHostility::deep}) {
    sim::BmcTraits traits;
    traits.hostility = harm;
    add_bmc(traits);
    EXPECT_FALSE(set(IdentifyLight::on, bmcs_.size() - 1)) << enum_name(harm);
  }
}

}  // namespace
}  // namespace drover::hardware
