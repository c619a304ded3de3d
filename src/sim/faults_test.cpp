// Fault plans: drawn alike from the same seed, applied and lifted at their times.
#include "sim/faults.hpp"

#include <gtest/gtest.h>

namespace drover::sim {
namespace {

using std::chrono::seconds;

const std::vector<FaultTarget> kTargets = {{"m", "hm"}, {"a1", "ha1"}, {"a2", "ha2"}, {"c", "hc"}};

class Owner final : public FaultActions {
 public:
  explicit Owner(World& world) : world_(world) {
    for (const FaultTarget& target : kTargets) start(target.process);
  }
  SimProcess* process(const std::string& name) override { return live[name].get(); }
  void stop(const std::string& name, bool power_cut) override {
    cuts += power_cut ? 1 : 0;
    ++stops;
    live[name] = nullptr;
  }
  void start(const std::string& name) override {
    EXPECT_EQ(live[name], nullptr) << "started twice: " << name;
    live[name] = std::make_unique<SimProcess>(
        world_, ProcessOptions{.name = name, .host = "h" + name, .disk = nullptr});
  }
  std::map<std::string, std::unique_ptr<SimProcess>> live;
  int stops = 0;
  int cuts = 0;

 private:
  World& world_;
};

std::string texts(const std::vector<Fault>& plan) {
  std::string out;
  for (const Fault& fault : plan) out += std::to_string(fault.at.count()) + fault.text() + "\n";
  return out;
}

TEST(Faults, ThePlanDependsOnTheSeedAlone) {
  SimRandom one(3, "faults");
  SimRandom two(3, "faults");
  SimRandom three(4, "faults");
  const auto plan = texts(draw_faults(one, kTargets, {}));
  EXPECT_EQ(plan, texts(draw_faults(two, kTargets, {})));
  EXPECT_NE(plan, texts(draw_faults(three, kTargets, {})));
}

TEST(Faults, EveryFaultIsLiftedByTheEndAndTheWorldIsWhole) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World world(seed);
    Fabric fabric(world);
    Owner owner(world);
    SimRandom random = world.stream("faults");
    FaultPlanOptions options;
    options.count = 40;
    FaultInjector injector(world, fabric, owner, kTargets, draw_faults(random, kTargets, options));
    ASSERT_GT(injector.plan().size(), 20U);
    ASSERT_TRUE(world.run_for(options.end));
    EXPECT_TRUE(injector.over());
    for (const FaultTarget& target : kTargets) {
      ASSERT_NE(owner.process(target.process), nullptr);
      EXPECT_FALSE(owner.process(target.process)->paused());
      for (const FaultTarget& other : kTargets) EXPECT_TRUE(fabric.open(target.host, other.host));
    }
  }
}

TEST(Faults, EveryKindIsDrawn) {
  SimRandom random(1, "faults");
  FaultPlanOptions options;
  options.count = 400;
  options.longest = seconds(1);
  std::vector<int> seen(kFaultKinds);
  for (const Fault& fault : draw_faults(random, kTargets, options)) {
    ++seen[static_cast<size_t>(fault.kind)];
    EXPECT_GE(fault.at, options.begin);
    EXPECT_LE(fault.at + fault.duration, options.end);
  }
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_GT(seen[i], 0) << name(static_cast<FaultKind>(i));
}

}  // namespace
}  // namespace drover::sim
