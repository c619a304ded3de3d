// Nodes on their way up, in the simulator: steps, files, failures, and daemons that die meanwhile.
#include "cluster/content/mutations.hpp"
#include "cluster/definition_writer.hpp"
#include "daemons/test_tree.hpp"

#include <algorithm>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::daemons::testing {
namespace {

using cluster::PhaseState;
using cluster::RunState;

class NodeUpSim : public TreeSim {
 protected:
  NodeUpSim() : TreeSim(11) {}
  ~NodeUpSim() override { computes.clear(); }  // agents end before their machines
  void SetUp() override {
    TreeSim::SetUp();
    ASSERT_TRUE(reach([&] { return all_redundant(); }, seconds(20)));
  }
  void write(store::Mutation mutation) {
    bool done = false;
    master->store->write("test", std::move(mutation), [&](const Result<store::Committed>& result) {
      EXPECT_TRUE(result) << (result ? "" : result.error().text());
      done = true;
    });
    ASSERT_TRUE(reach([&] { return done; }, seconds(5)));
  }
  void define(const std::string& node, const std::vector<std::string>& names,
              cluster::OnFailure on_failure = cluster::OnFailure::stop) {
    write([=](store::Transaction& tx) -> Status {
      cluster::StepList list;
      list.name = "node/" + node;
      for (const std::string& name : names) {
        cluster::Step step;
        step.name = name;
        step.command = {"true"};
        step.on_failure = on_failure;
        list.steps.push_back(step);
      }
      return cluster::put_content(tx, list);
    });
  }
  void give(const std::string& node, const std::map<std::string, std::string>& files) {
    write([=](store::Transaction& tx) -> Status {
      cluster::Overlay overlay;
      overlay.name = "node/" + node;
      for (const auto& [path, content] : files) overlay.files[path].content = content;
      return cluster::put_content(tx, overlay);
    });
  }
  /// The node's machine starts anew.
  void boot(const std::string& node, const std::string& boot_id) {
    stop(node);
    ASSERT_TRUE(comes(node, PhaseState::lost));
    machines[node] = std::make_unique<SimMachine>();
    disks[node] = std::make_unique<sim::SimDisk>();
    start(node, boot_id);
  }
  void start(const std::string& node, const std::string& boot_id) {
    computes[node] = std::make_unique<SimCompute>(world, fabric, node, *disks.at(node),
                                                  std::vector<std::string>{"agg1", "agg2", "agg3"},
                                                  timing, machines.at(node).get(), boot_id);
  }
  void stop(const std::string& node) {
    computes.at(node)->host.process.kill();
    disks.at(node)->detach();
    computes.erase(node);
  }
  [[nodiscard]] PhaseState phase(const std::string& node) const {
    return master->model.find(node)->node().phase.state;
  }
  bool comes(const std::string& node, PhaseState state, Duration limit = seconds(60)) {
    return static_cast<bool>(reach([&] { return phase(node) == state; }, limit));
  }
  SimMachine& machine(const std::string& node) { return *machines.at(node); }
  static std::vector<std::string> many(size_t count) {
    std::vector<std::string> out;
    for (size_t i = 1; i <= count; ++i) out.push_back(fmt::format("s{}", i));
    return out;
  }

  std::map<std::string, std::unique_ptr<SimMachine>> machines;
  std::vector<std::string> seen;  ///< phases of n1, where a test listens
};

TEST_F(NodeUpSim, StepsRunInTheirOrderBeforeTheNodeIsUp) {
  define("n1", {"one", "two", "three"});
  give("n1", {{"/etc/motd", "hello"}});
  master->model.on_node([&](const cluster::Model::NodeEvent& event) {
    if (event.after == nullptr) return;
    master->tree->node_stored(*event.after);
    if (event.name != "n1") return;
    seen.push_back(
        fmt::format("{}: {}", enum_name(event.after->phase.state), event.after->phase.why));
  });
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  EXPECT_EQ(machine("n1").ran, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(machine("n1").files.at("/etc/motd"), "hello");
  EXPECT_TRUE(std::ranges::any_of(seen, [](const std::string& each) {
    return each == "node_up: step 2 of 3: two";
  })) << fmt::format("{}", fmt::join(seen, "\n"));
  const auto run = master->node_up->last_run("n1");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->state, RunState::done);
  EXPECT_EQ(run->boot_id, "b2");
  EXPECT_EQ(run->steps.at(2).status, cluster::StepStatus::ok);
}

TEST_F(NodeUpSim, NothingDefinedIsUpAtOnceAndLeavesNoTrace) {
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up, seconds(10)));
  EXPECT_FALSE(master->node_up->last_run("n1"));
  define("n1", {"one"});
  ASSERT_TRUE(world.run_for(seconds(5)));
  EXPECT_EQ(phase("n1"), PhaseState::up) << "steps are for the next boot";
  EXPECT_TRUE(machine("n1").ran.empty());
}

TEST_F(NodeUpSim, AStepThatFailsStopsTheNodeWithItsReason) {
  define("n1", {"one", "bad2", "three"});
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::error));
  EXPECT_EQ(master->model.find("n1")->node().phase.why, "step 2 of 3, bad2: it is bad");
  EXPECT_EQ(machine("n1").ran, (std::vector<std::string>{"one", "bad2"}));
  ASSERT_TRUE(world.run_for(seconds(30)));
  EXPECT_EQ(phase("n1"), PhaseState::error) << "being heard does not make it up";
  EXPECT_EQ(phase("n2"), PhaseState::up);

  // Mended, it is told to try again.
  define("n1", {"one", "two"});
  ASSERT_TRUE(master->node_up->run_again("n1"));
  ASSERT_TRUE(comes("n1", PhaseState::up));
  EXPECT_EQ(machine("n1").ran, (std::vector<std::string>{"one", "bad2", "one", "two"}));
}

TEST_F(NodeUpSim, AFailureThatMayBeIsToldAndPassed) {
  define("n1", {"bad1", "two"}, cluster::OnFailure::go_on);
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  EXPECT_EQ(machine("n1").ran, (std::vector<std::string>{"bad1", "two"}));
  EXPECT_EQ(master->node_up->last_run("n1")->steps[0].status, cluster::StepStatus::failed);
}

TEST_F(NodeUpSim, AMasterThatDiesMeanwhileFindsTheNodeUp) {
  define("n1", many(40));
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::node_up));
  kill_master();
  ASSERT_TRUE(world.run_for(seconds(2)));
  start_master();
  ASSERT_TRUE(comes("n1", PhaseState::up, seconds(120)));
  EXPECT_EQ(machine("n1").ran, many(40)) << "each once";
}

TEST_F(NodeUpSim, AnAggregatorThatDiesMeanwhileChangesNothing) {
  define("n1", many(40));
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::node_up));
  const std::string primary = master->model.find("n1")->agent->primary;
  if (!primary.empty()) kill_aggregator(primary);
  ASSERT_TRUE(comes("n1", PhaseState::up, seconds(120)));
  EXPECT_EQ(machine("n1").ran, many(40));
}

TEST_F(NodeUpSim, AnAgentThatDiesMeanwhileGoesOnWhereItWas) {
  define("n1", many(40));
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::node_up));
  ASSERT_TRUE(reach([&] { return machine("n1").ran.size() >= 5; }, seconds(30)));
  stop("n1");
  start("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up, seconds(120)));
  // What was under way may run twice; all others ran once, in their order.
  std::vector<std::string> ran = machine("n1").ran;
  EXPECT_LE(ran.size(), 41U);
  const auto last = std::unique(ran.begin(), ran.end());
  ran.erase(last, ran.end());
  EXPECT_EQ(ran, many(40));
}

TEST_F(NodeUpSim, ABrokenLinkIsNoBoot) {
  define("n1", {"one"});
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  stop("n1");
  ASSERT_TRUE(comes("n1", PhaseState::lost));
  start("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  EXPECT_EQ(machine("n1").ran.size(), 1U);
  boot("n1", "b3");
  ASSERT_TRUE(reach([&] { return machine("n1").ran.size() == 1; }, seconds(60))) << "a boot is";
}

TEST_F(NodeUpSim, ANodeThatIsBackAfterAMastersRestartDoesNotTakeItsStepsAgain) {
  define("n1", {"one", "two"});
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  stop("n1");  // the agent alone: the same boot
  ASSERT_TRUE(comes("n1", PhaseState::lost));
  kill_master();
  ASSERT_TRUE(world.run_for(seconds(5)));
  start_master();
  ASSERT_TRUE(world.run_for(seconds(10)));
  start("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  ASSERT_TRUE(world.run_for(seconds(10)));
  EXPECT_EQ(machine("n1").ran, (std::vector<std::string>{"one", "two"}));

  // In its next boot it does.
  boot("n1", "b3");
  ASSERT_TRUE(comes("n1", PhaseState::up));
  EXPECT_EQ(machine("n1").ran, (std::vector<std::string>{"one", "two"}));
}

TEST_F(NodeUpSim, FilesFollowTheirDefinitionWithinSeconds) {
  for (const char* node : {"n1", "n2", "n3"}) boot(node, "b2");
  ASSERT_TRUE(reach([&] { return all_up(); }, seconds(60)));
  write([](store::Transaction& tx) -> Status {
    cluster::DefinitionWriter writer(tx);
    cluster::Group group;
    group.name = "rack";
    group.nodes = "n[1-3]";
    DROVER_CHECK_OK(writer.put_group(group));
    DROVER_CHECK_OK(writer.finish());
    cluster::Overlay overlay;
    overlay.name = "group/rack";
    overlay.files["/etc/motd"].content = "first";
    overlay.files["/etc/name"] = {.content = "${name}", .is_template = true};
    return cluster::put_content(tx, overlay);
  });
  const auto all_have = [&](const std::string& motd) {
    return [this, motd] {
      return std::ranges::all_of(machines, [&](const auto& each) {
        const auto held = each.second->files.find("/etc/motd");
        return motd.empty() ? each.second->files.empty()
                            : held != each.second->files.end() && held->second == motd;
      });
    };
  };
  ASSERT_TRUE(reach(all_have("first"), seconds(3)));
  EXPECT_EQ(machine("n2").files.at("/etc/name"), "n2");
  ASSERT_TRUE(reach([&] { return master->overlays->state("n1").state == "current"; }, seconds(5)));
  ASSERT_TRUE(world.run_for(seconds(60)));
  EXPECT_EQ(machine("n1").placings, 1) << "nothing changed, nothing is written";

  // What a node missed it gets when it is back.
  stop("n2");
  give("n1", {{"/etc/own", "x"}});
  write([](store::Transaction& tx) -> Status {
    cluster::Overlay overlay;
    overlay.name = "group/rack";
    overlay.files["/etc/motd"].content = "second";
    return cluster::put_content(tx, overlay);
  });
  ASSERT_TRUE(reach([&] { return machine("n3").files.at("/etc/motd") == "second"; }, seconds(3)));
  EXPECT_EQ(machine("n1").files.size(), 2U);
  EXPECT_NE(master->overlays->state("n2").state, "current");
  start("n2", "b2");
  ASSERT_TRUE(reach(all_have("second"), seconds(60)));
  EXPECT_FALSE(machine("n2").files.contains("/etc/name"));

  write([](store::Transaction& tx) -> Status {
    DROVER_CHECK_OK(cluster::erase_content(tx, cluster::kOverlayKind, "group/rack"));
    DROVER_CHECK_OK(cluster::erase_content(tx, cluster::kOverlayKind, "node/n1"));
    return {};
  });
  ASSERT_TRUE(reach(all_have(""), seconds(5)));
}

TEST_F(NodeUpSim, AMasterThatRestartsSendsNothingTwice) {
  boot("n1", "b2");
  ASSERT_TRUE(reach([&] { return all_up(); }, seconds(60)));
  give("n1", {{"/etc/motd", "x"}});
  ASSERT_TRUE(reach([&] { return master->overlays->state("n1").state == "current"; }, seconds(5)));
  kill_master();
  start_master();
  ASSERT_TRUE(reach([&] { return all_up(); }, seconds(60)));
  ASSERT_TRUE(world.run_for(seconds(10)));
  EXPECT_EQ(master->overlays->state("n1").state, "current");
  EXPECT_EQ(machine("n1").placings, 1);
}

TEST_F(NodeUpSim, AFileThatCannotBeMadeIsToldAndStopsABoot) {
  write([](store::Transaction& tx) -> Status {
    cluster::Overlay overlay;
    overlay.name = "node/n1";
    overlay.files["/etc/bad"] = {.content = "${nothing}", .is_template = true};
    return cluster::put_content(tx, overlay);
  });
  ASSERT_TRUE(reach([&] { return master->overlays->state("n1").state == "failed"; }, seconds(5)));
  EXPECT_EQ(phase("n1"), PhaseState::up) << "a running node goes on";
  boot("n1", "b2");
  ASSERT_TRUE(comes("n1", PhaseState::error));
  EXPECT_NE(master->model.find("n1")->node().phase.why.find("/etc/bad, line 1"), std::string::npos);
}

}  // namespace
}  // namespace drover::daemons::testing
