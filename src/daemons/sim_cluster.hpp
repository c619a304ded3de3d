// A small cluster in the simulator for the tests of this room: the real daemons on simulated seams.
#pragma once

#include "daemons/aggregator.hpp"
#include "daemons/compute.hpp"
#include "daemons/master_tree.hpp"
#include "daemons/nodeup/node_up_desk.hpp"
#include "daemons/startup.hpp"
#include "daemons/utility.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_net.hpp"
#include "sim/sim_security.hpp"
#include "sim/world.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/sample.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

namespace drover::daemons::testing {

inline constexpr const char* kCluster = "sim";

/// Takes steps by writing down what it was told. A step whose name begins with "bad" fails. What it
/// has is the machine's: it outlives its agent.
struct SimMachine final : StepHost {
  cluster::StepResult run(const cluster::Step& step) override {
    ran.push_back(step.name);
    cluster::StepResult out;
    out.name = step.name;
    out.status = cluster::StepStatus::ok;
    if (step.name.starts_with("bad")) {
      out.status = cluster::StepStatus::failed;
      out.why = "it is bad";
    }
    return out;
  }
  Result<cluster::FilesResult> place(const std::vector<cluster::OrderedFile>& wanted) override {
    cluster::FilesResult out;
    std::map<std::string, std::string> now;
    for (const cluster::OrderedFile& each : wanted) {
      const auto held = files.find(each.path);
      const bool same = held != files.end() && held->second == each.file.content;
      same ? static_cast<void>(++out.unchanged) : out.placed.push_back(each.path);
      now[each.path] = each.file.content;
    }
    for (const auto& [path, content] : files) {
      if (!now.contains(path)) out.removed.push_back(path);
    }
    files = std::move(now);
    placings += out.placed.empty() && out.removed.empty() ? 0 : 1;
    return out;
  }
  std::vector<std::string> ran;
  std::map<std::string, std::string> files;
  int placings = 0;  ///< those that changed something
};

/// Made-up machines: the same inventory at each reading unless `generation` is raised.
class SimFacts final : public HostFacts {
 public:
  Result<std::string> read_inventory() override {
    return fmt::format(
        R"({{"parts":[{{"kind":"cpu","slot":"0","serial":"c{}","attributes":{{"model":"sim"}}}}],)"
        R"("summary":{{"cpus":4,"memory_mib":1024,"gpus":0,"os":"sim","kernel":"6.1"}}}})",
        generation);
  }
  std::string sample(bool whole) override {
    telemetry::Sample out;
    out.full = whole;
    if (whole) out.values = {{telemetry::metric_id(telemetry::Metric::load1), 1.0}};
    return whole && samples ? telemetry::encode_sample(out) : std::string();
  }
  StepHost* steps() override { return machine; }
  std::string state() override { return "/state"; }
  SimMachine* machine = nullptr;  ///< null: it takes no steps
  bool samples = false;           ///< one full sample for each new way up, and nothing after it
  int generation = 0;
};

/// One simulated process with its seams; the daemon on it is destroyed first.
struct SimHost {
  SimHost(sim::World& world, sim::Fabric& fabric, const std::string& name, Disk& disk)
      : process(world, {.name = name, .host = name, .disk = &disk}), net(fabric, process) {}
  Seams seams() {
    return {process.executor(), net, process.disk(), process.random(), process.log_sink()};
  }
  sim::SimProcess process;
  sim::SimNet net;
};

inline Result<tree::Introduction> introduction(SimHost& host, tree::Role role) {
  tree::Introduction self;
  self.cluster = kCluster;
  self.role = role;
  self.name = host.process.name();
  (void)host.process.disk().make_dirs("/state", 0700);
  DROVER_TRY(const auto start,
             count_start(host.process.disk(), "/state", host.process.executor().wall()));
  self.incarnation = start.incarnation;
  self.starts = start.count;
  self.boot_id = "boot";
  self.protocol_min = tree::kProtocolMin;
  self.protocol_max = tree::kProtocolMax;
  self.features = tree::kFeatures;
  self.version = "test";
  return self;
}

inline Callback<std::shared_ptr<net::Security>()> security(SimHost& host, tree::Role role) {
  net::SecurityConfig config;
  config.certificate_pem =
      sim::sim_certificate(tree::certificate_uri(kCluster, tree::name(role), host.process.name()),
                           host.process.executor().wall() + std::chrono::hours(24 * 365), "ca");
  config.trust_pem = sim::sim_ca("ca");
  auto made = host.net.make_security(config).value();
  return [made] { return made; };
}

inline const RevocationList kNobodyRevoked{1, {}};

struct SimMaster {
  SimMaster(sim::World& world, sim::Fabric& fabric, Disk& disk, const Timing& timing)
      : SimMaster(world, fabric, disk, timing, kNobodyRevoked) {}
  /// `revoked_list` outlives it, as a store does.
  SimMaster(sim::World& world, sim::Fabric& fabric, Disk& disk, const Timing& timing,
            const RevocationList& revoked_list)
      : host(world, fabric, "master", disk), worker(host.process.executor().make_worker("w")) {
    started = start(timing, revoked_list);
  }
  Status start(const Timing& timing, const RevocationList& revoked_list) {
    Seams seams = host.seams();
    DROVER_TRY(store, store::open_sqlite(seams.executor, seams.disk, host.process.log(),
                                         "/db/drover.db", {}));
    DROVER_CHECK_OK(model.load(*store));
    DROVER_TRY(const auto runs, store->load(cluster::kNodeUpKind));
    DROVER_TRY(const auto applied, store->load(kAppliedOverlayKind));
    subscription = store->subscribe([this](std::span<const store::Change> changes) {
      (void)model.apply(changes);
      if (overlays) overlays->follow(changes);
    });
    MasterTreeConfig config;
    DROVER_TRY(config.self, introduction(host, tree::Role::master));
    config.timing = timing;
    config.own_settings = own_settings_of(timing);
    config.paths.hold = timing.hold;
    config.revocations = [&revoked_list] { return revoked_list; };
    tree = std::make_unique<MasterTree>(
        seams, std::move(config), security(host, tree::Role::master), *store, model,
        [](const tree::Introduction&, const std::string&) -> Status { return {}; },
        [this](const std::string& node, std::string_view) { ++samples[node]; });
    const Log log = host.process.log();
    overlays = std::make_unique<OverlayDesk>(OverlayDesk::Parts{
        seams.executor, seams.random, log, *store, model, tree->calls(), "daemon:master"});
    node_up = std::make_unique<NodeUpDesk>(NodeUpDesk::Parts{
        seams.executor, seams.random, log, *store, model, tree->calls(), hooks, *overlays,
        "daemon:master", kCluster, [this](const std::string& node) { tree->reconsider(node); }});
    DROVER_CHECK_OK(node_up->restore(runs));
    DROVER_CHECK_OK(overlays->restore(applied));
    tree->use(*node_up);
    tree->publish(model.setting_book());
    model.on_settings([this] { tree->publish(model.setting_book()); });
    model.on_node([this](const cluster::Model::NodeEvent& event) {
      if (event.after != nullptr) tree->node_stored(*event.after);
    });
    (void)tree->listen(net::Endpoint{"master", 9815, {}});
    (void)tree->listen(net::Endpoint{"master", 9816, {}});
    tree->start(*worker);
    return {};
  }
  SimHost host;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<store::Store> store;
  cluster::Model model;
  store::Subscription subscription;
  std::map<std::string, int> samples;  ///< how often each node's values came
  std::unique_ptr<MasterTree> tree;
  HookRunner hooks{host.process.executor(), host.process.log(), "", std::chrono::seconds(1)};
  std::unique_ptr<OverlayDesk> overlays;
  std::unique_ptr<NodeUpDesk> node_up;
  Status started;  ///< an error where the disk lost power meanwhile: it is no master then
};

struct SimAggregator {
  SimAggregator(sim::World& world, sim::Fabric& fabric, const std::string& name, Disk& disk,
                const Timing& timing)
      : host(world, fabric, name, disk) {
    AggregatorConfig config;
    config.self = introduction(host, tree::Role::aggregator).value();
    config.listen = {net::Endpoint{name, 9800, {}}};
    // Two endpoints of one master, as a host with two addresses has.
    config.masters = {net::Endpoint{"master", 9815, {}}, net::Endpoint{"master", 9816, {}}};
    config.spool_dir = "/spool";
    config.timing = timing;
    config.own_settings = own_settings_of(timing);
    daemon =
        std::make_unique<Aggregator>(host.seams(), config, security(host, tree::Role::aggregator));
    (void)daemon->start();
  }
  SimHost host;
  std::unique_ptr<Aggregator> daemon;
};

struct SimCompute {
  SimCompute(sim::World& world, sim::Fabric& fabric, const std::string& name, Disk& disk,
             const std::vector<std::string>& aggregators, const Timing& timing,
             SimMachine* machine = nullptr, const std::string& boot_id = "boot")
      : host(world, fabric, name, disk) {
    facts.machine = machine;
    ComputeConfig config;
    config.self = introduction(host, tree::Role::compute).value();
    config.self.boot_id = boot_id;
    for (const std::string& aggregator : aggregators) {
      config.aggregators.push_back(net::Endpoint{aggregator, 9800, {}});
    }
    config.timing = timing;
    config.own_settings = own_settings_of(timing);
    daemon =
        std::make_unique<Compute>(host.seams(), config, security(host, tree::Role::compute), facts);
    daemon->start();
  }
  SimHost host;
  SimFacts facts;
  std::unique_ptr<Compute> daemon;
};

struct SimUtility {
  SimUtility(sim::World& world, sim::Fabric& fabric, const std::string& name, Disk& disk,
             const Timing& timing)
      : host(world, fabric, name, disk) {
    UtilityConfig config;
    config.self = introduction(host, tree::Role::utility).value();
    config.masters = {net::Endpoint{"master", 9815, {}}, net::Endpoint{"master", 9816, {}}};
    config.spool_dir = "/spool";
    config.timing = timing;
    config.own_settings = own_settings_of(timing);
    daemon =
        std::make_unique<Utility>(host.seams(), config, security(host, tree::Role::utility), facts);
    daemon->start();
  }
  SimHost host;
  SimFacts facts;
  std::unique_ptr<Utility> daemon;
};

}  // namespace drover::daemons::testing
