#include "simulated_cluster.hpp"

#include "base/noderange.hpp"
#include "cluster/mutations.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::sim_test {
namespace {

using daemons::testing::SimAggregator;
using daemons::testing::SimCompute;
using daemons::testing::SimMaster;
using daemons::testing::SimUtility;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRecovery = seconds(180);
/// Until a dead way is known to be dead (silence, then a report of it), and a new one carries.
constexpr Duration kSettingsLate = seconds(10);
constexpr const char* kLogin = "login1";

std::string node_name(int index) {
  return fmt::format("n{}", index);
}

}  // namespace

SimulatedCluster::SimulatedCluster(uint64_t seed, const SiteOptions& options, bool keep_trace)
    : options_(options), world_(seed), fabric_(world_), lots_(world_.stream("site")) {
  if (keep_trace) world_.trace().keep_all();
  timing_.hold = seconds(10);
}

SimulatedCluster::~SimulatedCluster() {
  injector_.reset();
  for (auto& [name, compute] : computes_) compute->host.process.kill();
  for (auto& [name, aggregator] : aggregators_) aggregator->host.process.kill();
  if (login_) login_->host.process.kill();
  if (master_) master_->host.process.kill();
}

sim::SimDisk& SimulatedCluster::disk_of(const std::string& name) {
  auto& disk = disks_[name];
  if (!disk) disk = std::make_unique<sim::SimDisk>();
  return *disk;
}

void SimulatedCluster::wrong(std::string what) {
  world_.note("check", what);
  wrong_.push_back(fmt::format(
      "at {} ms: {}", std::chrono::duration_cast<milliseconds>(world_.now()).count(), what));
}

// --- life and death ---------------------------------------------------------------------------

sim::SimProcess* SimulatedCluster::process(const std::string& name) {
  if (name == "master") return master_ ? &master_->host.process : nullptr;
  if (name == kLogin) return login_ ? &login_->host.process : nullptr;
  if (const auto it = aggregators_.find(name); it != aggregators_.end()) {
    return &it->second->host.process;
  }
  const auto it = computes_.find(name);
  return it == computes_.end() ? nullptr : &it->second->host.process;
}

void SimulatedCluster::stop(const std::string& name, bool power_cut) {
  sim::SimProcess* dying = process(name);
  if (dying == nullptr) return;
  dying->kill();
  if (name == "master") master_.reset();
  if (name == kLogin) login_.reset();
  aggregators_.erase(name);
  computes_.erase(name);
  if (power_cut) {
    disk_of(name).crash(lots_);
  } else {
    disk_of(name).detach();
  }
}

void SimulatedCluster::start(const std::string& name) {
  if (process(name) != nullptr) return;
  sim::SimDisk& disk = disk_of(name);
  if (name == "master") {
    (void)disk.make_dirs("/db", 0700);
    master_ = std::make_unique<SimMaster>(world_, fabric_, disk, timing_);
    if (master_->started) return;
    // An ambush struck in the middle of the start, and starts it again.
    if (!ambushed_) wrong("the master did not start: " + master_->started.error().text());
    stop("master", true);
    return;
  }
  if (name == kLogin) {
    login_ = std::make_unique<SimUtility>(world_, fabric_, name, disk, timing_);
    return;
  }
  if (name.starts_with("agg")) {
    aggregators_[name] = std::make_unique<SimAggregator>(world_, fabric_, name, disk, timing_);
    return;
  }
  std::vector<std::string> seeds;
  for (int i = 1; i <= options_.aggregators; ++i) seeds.push_back(fmt::format("agg{}", i));
  auto compute = std::make_unique<SimCompute>(world_, fabric_, name, disk, seeds, timing_);
  compute->facts.generation = generations_[name];
  compute->daemon->agent().calls().handle(
      "act", tree::Repeat::never,
      [this, name](const tree::CallRequest& request, tree::CallReply reply) {
        ++executions_[{request.id, name}];
        reply("acted");
      });
  computes_[name] = std::move(compute);
}

void SimulatedCluster::start_all() {
  start("master");
  for (int i = 1; i <= options_.aggregators; ++i) start(fmt::format("agg{}", i));
  for (int i = 1; i <= options_.computes; ++i) start(node_name(i));
  start(kLogin);
}

void SimulatedCluster::plan_faults() {
  // Management is hit more often than its share: that is what this is about.
  std::vector<sim::FaultTarget> targets;
  for (int weight = 0; weight < 6; ++weight) {
    targets.push_back({"master", "master"});
    for (int i = 1; i <= options_.aggregators; ++i) {
      targets.push_back({fmt::format("agg{}", i), fmt::format("agg{}", i)});
    }
  }
  for (int i = 1; i <= options_.computes; ++i) targets.push_back({node_name(i), node_name(i)});
  for (int weight = 0; weight < 3; ++weight) targets.push_back({kLogin, kLogin});
  sim::FaultPlanOptions plan;
  plan.begin = options_.faults_from;
  plan.end = options_.faults_until;
  plan.longest = seconds(25);
  plan.count = options_.faults;
  sim::SimRandom draw = world_.stream("faults");
  auto faults = sim::draw_faults(draw, targets, plan);
  for (const sim::Fault& fault : faults) ++counts_.faults[std::string(name(fault.kind))];
  injector_ =
      std::make_unique<sim::FaultInjector>(world_, fabric_, *this, targets, std::move(faults));
}

// --- clients ----------------------------------------------------------------------------------

std::string SimulatedCluster::random_compute() {
  return node_name(1 + static_cast<int>(lots_.below(static_cast<uint64_t>(options_.computes))));
}

void SimulatedCluster::client_turn() {
  if (!trouble_) return;
  if (master_ && !master_->host.process.paused()) {
    check_vouched();
    check_settings();
    if (lots_.below(60) == 0) ambush();
    switch (lots_.below(4)) {
      case 0:
        client_call();
        break;
      case 1:
        change_inventory();
        break;
      default:
        client_write();
    }
  }
  world_.after(lots_.between(milliseconds(20), milliseconds(400)), [this] { client_turn(); });
}

void SimulatedCluster::client_write() {
  const std::string why = fmt::format("write-{}", ++next_id_);
  const std::string node = random_compute();
  ++counts_.writes_tried;
  const auto done = [this, why](const Result<store::Committed>& committed) {
    if (!committed) return;
    ++counts_.writes_acknowledged;
    if (committed->first != 0) acknowledged_.insert(why);
  };
  if (lots_.below(8) == 0) {
    const bool beat = lots_.below(2) == 0;
    const std::string value = beat ? fmt::format("{}ms", 500 * (1 + lots_.below(3)))
                                   : std::to_string(1 + lots_.below(1000));
    master_->store->write(
        "user:client",
        [key = beat ? "tree.heartbeat" : "confirm.above", value, why](store::Transaction& tx) {
          tx.explain(why);
          return cluster::set_setting(tx, key, value);
        },
        done);
    return;
  }
  cluster::NodePatch patch;
  patch.service =
      lots_.below(2) == 0 ? cluster::ServiceState::in_service : cluster::ServiceState::maintenance;
  patch.why = why;
  master_->store->write(
      "user:client",
      [node, patch](store::Transaction& tx) -> Status {
        DROVER_TRY([[maybe_unused]] auto done, cluster::patch_node(tx, node, patch));
        return {};
      },
      done);
}

void SimulatedCluster::client_call() {
  std::set<std::string> targets;
  const uint64_t wanted = 1 + lots_.below(static_cast<uint64_t>(options_.computes));
  while (targets.size() < wanted) targets.insert(random_compute());
  tree::CallSpec spec;
  spec.id = fmt::format("act-{}", ++next_id_);
  spec.method = "act";
  spec.budget = lots_.between(milliseconds(500), seconds(8));
  spec.targets.assign(targets.begin(), targets.end());
  ++counts_.calls;
  counts_.call_targets += targets.size();
  const std::string id = spec.id;
  const Status started = master_->tree->calls().start(
      std::move(spec), nullptr,
      [this, id, size = targets.size()](const tree::CallReport& r) { on_report(r, size, id); });
  if (!started) wrong("a call was not taken: " + started.error().text());
}

void SimulatedCluster::on_report(const tree::CallReport& report, size_t targets,
                                 const std::string& id) {
  std::set<std::string> seen;
  for (const tree::CallGroup& group : report.groups) {
    const auto nodes = expand_names(group.nodes);
    if (!nodes || nodes->size() != group.count)
      wrong("a group that does not count: " + group.nodes);
    counts_.outcomes[std::string(name(group.outcome))] += group.count;
    for (const std::string& node : nodes.value_or(std::vector<std::string>{})) {
      if (!seen.insert(node).second) wrong(fmt::format("{} ended twice for {}", id, node));
      if (group.outcome == tree::Outcome::done) done_[id].insert(node);
    }
  }
  if (seen.size() != targets) {
    wrong(fmt::format("{} ended for {} of {} targets", id, seen.size(), targets));
  }
}

// Faults that are drawn by time alone hardly ever fall between an acknowledgement and its commit.
void SimulatedCluster::ambush() {
  if (ambushed_ || injector_->over()) return;
  ambushed_ = true;
  ++counts_.faults["ambush"];
  for (int i = 0; i < 4; ++i) change_inventory();
  client_write();
  disk_of("master").set_fault_hook(
      [this, left = lots_.below(8)](const sim::DiskOperation& op) mutable {
        if (op.kind != sim::DiskOperation::Kind::sync || left-- > 0) return sim::DiskFault::none;
        // What was said too early has the time to arrive.
        world_.after(milliseconds(20), [this] {
          disk_of("master").set_fault_hook({});
          stop("master", true);
          ambushed_ = false;
        });
        world_.after(milliseconds(500), [this] {
          if (!fabric_.host_down("master")) start("master");
        });
        return sim::DiskFault::power_cut;
      });
}

void SimulatedCluster::change_inventory() {
  const std::string node = random_compute();
  const auto it = computes_.find(node);
  // A stopped agent would not notice: agents read their machine when asked or after a disconnect.
  if (it != computes_.end() && it->second->host.process.paused()) return;
  ++generations_[node];
  if (it == computes_.end()) return;  // it reads the new machine when it starts
  it->second->facts.generation = generations_[node];
  it->second->daemon->agent().collect_now();
}

// --- what must hold ---------------------------------------------------------------------------

std::string SimulatedCluster::unsettled() const {
  if (!master_) return "the master is down";
  for (int i = 1; i <= options_.computes; ++i) {
    const std::string name = node_name(i);
    const cluster::NodeEntry* entry = master_->model.find(name);
    if (entry == nullptr) return name + " is not known";
    if (entry->node().phase.state != cluster::PhaseState::up || !entry->confirmed) {
      return fmt::format("{} is {} ({}), confirmed {}", name, enum_name(entry->node().phase.state),
                         entry->node().phase.why, entry->confirmed);
    }
    if (!entry->agent || entry->agent->primary.empty() || entry->agent->secondary.empty()) {
      return name + " does not have two paths";
    }
    const auto* assigned = master_->tree->planner().assignment(name);
    if (assigned == nullptr || assigned->primary != entry->agent->primary) {
      return name + " is not where the master wants it";
    }
    const auto& parts = master_->model.parts_of(name);
    const std::string serial =
        fmt::format("c{}", generations_.contains(name) ? generations_.at(name) : 0);
    if (parts.size() != 1 || parts.begin()->second.serial != serial) {
      return name + " does not show the machine that it has";
    }
  }
  const cluster::NodeEntry* login = master_->model.find(kLogin);
  if (login == nullptr || login->node().phase.state != cluster::PhaseState::up ||
      !login->confirmed) {
    return "login1 is not up";
  }
  if (!master_->tree->spools().empty()) {
    return master_->tree->spools().front().daemon + " says that records are stuck";
  }
  // While an aggregator's hold runs nobody is away from home, and yet moves are to come.
  if (!master_->tree->planner().at_rest()) return "nodes are not home";
  const cluster::Settings& settings = master_->tree->settings().in_force();
  for (const auto& [name, aggregator] : aggregators_) {
    if (aggregator->daemon->settings().in_force() != settings) return name + " has old settings";
  }
  for (const auto& [name, compute] : computes_) {
    if (compute->daemon->settings().in_force() != settings) return name + " has old settings";
  }
  if (!login_ || login_->daemon->settings().in_force() != settings) {
    return "login1 has old settings";
  }
  return {};
}

bool SimulatedCluster::settled() const {
  return unsettled().empty();
}

// Every write that was answered is in the history, once; the log has no gaps.
void SimulatedCluster::check_history() {
  std::map<std::string, int> found;
  std::map<std::string, std::string> settings;  ///< as the changes leave them
  std::optional<uint64_t> since;
  uint64_t expected = 0;
  bool more = true;
  while (more) {
    bool answered = false;
    store::ChangeQuery query;
    query.since = since;
    query.limit = 1000;
    master_->store->changes(query, [&](const Result<store::ChangePage>& page) {
      answered = true;
      if (!page) {
        wrong("the history cannot be read: " + page.error().text());
        more = false;
        return;
      }
      for (const store::Change& change : page->changes) {
        if (expected != 0 && change.sequence != expected) wrong("the change log has a gap");
        expected = change.sequence + 1;
        if (change.actor == "user:client") ++found[change.why];
        if (change.kind == cluster::kSettingKind) settings[change.key] = change.after.value_or("");
      }
      more = page->scanned_to < master_->store->head();
      since = page->scanned_to;
    });
    if (!world_.run_until([&] { return answered; }, seconds(10))) {
      wrong("the history was not answered");
      return;
    }
  }
  for (const std::string& why : acknowledged_) {
    if (found[why] != 1)
      wrong(fmt::format("{} was acknowledged and is there {} times", why, found[why]));
  }
  for (const auto& [key, body] : settings) {
    const cluster::Setting in_force{master_->tree->settings().in_force().text(key)};
    if (body != encode(in_force)) {
      wrong(fmt::format("{} is {} in force and {} in the history", key, in_force.value, body));
    }
  }
}

void SimulatedCluster::check_vouched() {
  const auto& children = master_->tree->children();
  const WallTime now = master_->host.process.executor().wall();
  const auto linked = [&](const std::string& key) {
    const auto child = children.find(key);
    // What has just been lost is judged a moment later.
    return child != children.end() &&
           (child->second.linked || now - child->second.since < seconds(1));
  };
  for (const auto& [name, entry] : master_->model.nodes()) {
    if (!entry.confirmed || entry.node().phase.state != cluster::PhaseState::up || !entry.agent)
      continue;
    if (linked("aggregator/" + entry.agent->primary) ||
        linked("aggregator/" + entry.agent->secondary) || linked("utility/" + name)) {
      continue;
    }
    wrong(fmt::format(
        "{} is shown as up and confirmed by {}, primary '{}', secondary '{}': nobody who is linked",
        name, entry.node().phase.who, entry.agent->primary, entry.agent->secondary));
  }
}

void SimulatedCluster::check_settings_of(const std::string& name, const cluster::Settings& has,
                                         bool reached) {
  ++counts_.settings_checked;
  if (!reached || has == master_->tree->settings().in_force()) {
    behind_since_.erase(name);
    return;
  }
  const Duration behind =
      world_.now() - behind_since_.try_emplace(name, world_.now()).first->second;
  counts_.longest_behind = std::max(counts_.longest_behind, behind);
  if (behind > kSettingsLate) {
    wrong(fmt::format("{} is in reach and has had other settings than the master for {} ms", name,
                      behind / milliseconds(1)));
  }
}

void SimulatedCluster::check_settings() {
  // A master that was away or stopped has not had the time to tell anybody.
  if (world_.now() - settings_checked_ > seconds(1)) behind_since_.clear();
  settings_checked_ = world_.now();
  const auto& children = master_->tree->children();
  const auto linked = [&](const std::string& key) {
    const auto child = children.find(key);
    return child != children.end() && child->second.linked;
  };
  for (const auto& [name, aggregator] : aggregators_) {
    check_settings_of(name, aggregator->daemon->settings().in_force(),
                      linked("aggregator/" + name));
  }
  for (const auto& [name, compute] : computes_) {
    const cluster::NodeEntry* entry = master_->model.find(name);
    const bool up = entry != nullptr && entry->confirmed && entry->agent &&
                    entry->node().phase.state == cluster::PhaseState::up;
    check_settings_of(name, compute->daemon->settings().in_force(),
                      up && linked("aggregator/" + entry->agent->primary));
  }
  if (login_) {
    check_settings_of(kLogin, login_->daemon->settings().in_force(),
                      linked(fmt::format("utility/{}", kLogin)));
  }
}

void SimulatedCluster::check_executions() {
  for (const auto& [what, times] : executions_) {
    if (times > 1) wrong(fmt::format("{} ran {} times on {}", what.first, times, what.second));
  }
  for (const auto& [id, nodes] : done_) {
    for (const std::string& node : nodes) {
      if (!executions_.contains({id, node}))
        wrong(fmt::format("{} is done on {} and never ran", id, node));
    }
  }
}

void SimulatedCluster::check_final_ping() {
  tree::CallSpec spec;
  spec.id = "final-ping";
  spec.method = "ping";
  spec.budget = seconds(5);
  for (int i = 1; i <= options_.computes; ++i) spec.targets.push_back(node_name(i));
  bool done = false;
  (void)master_->tree->calls().start(std::move(spec), nullptr, [&](const tree::CallReport& report) {
    done = true;
    if (report.groups.size() != 1 || report.groups[0].outcome != tree::Outcome::done) {
      wrong("the last ping was not answered by all with one voice");
    }
  });
  if (!world_.run_until([&] { return done; }, seconds(10))) wrong("the last ping never ended");
}

std::string SimulatedCluster::run() {
  start_all();
  const auto report = [this] {
    std::string text;
    for (size_t i = 0; i < wrong_.size() && i < 10; ++i) text += wrong_[i] + "\n";
    return text;
  };
  if (const Status up = world_.run_until([this] { return settled(); }, seconds(60)); !up) {
    return "the cluster never came up: " + unsettled();
  }
  plan_faults();
  trouble_ = true;
  client_turn();
  const Duration over = std::max(world_.now(), options_.faults_until) + seconds(1);
  if (const Status ran = world_.run_for(over - world_.now()); !ran) return ran.error().text();
  if (const Status lifted = world_.run_until([this] { return injector_->over(); }, seconds(60));
      !lifted) {
    return "faults were not lifted: " + lifted.error().text();
  }
  trouble_ = false;
  disk_of("master").set_fault_hook({});  // an ambush that found nothing to write
  if (const Status back = world_.run_until([this] { return settled(); }, kRecovery); !back) {
    return fmt::format("the cluster did not recover: {} ({})\n{}", unsettled(), back.error().text(),
                       report());
  }
  if (const Status quiet = world_.run_for(seconds(12)); !quiet) return quiet.error().text();
  if (!settled()) wrong("it did not stay settled: " + unsettled());
  check_final_ping();
  check_history();
  check_executions();
  return report();
}

}  // namespace drover::sim_test
