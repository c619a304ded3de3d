#include "daemons/master_tree.hpp"

#include "cluster/mutations.hpp"
#include "daemons/member_messages.hpp"
#include "daemons/nodeup/node_up_desk.hpp"
#include "proto/link.pb.h"
#include "proto/paths.pb.h"
#include "proto/telemetry.pb.h"

#include <algorithm>

#include <fmt/core.h>

namespace drover::daemons {
namespace {

/// The reporter's name for nodes that are linked to the master itself (utility daemons).
constexpr const char* kSelfReporter = "(this master)";
/// Nodes in one message of assignments: about 60 bytes each, far below the frame limit.
constexpr size_t kNodesPerMessage = 5000;
constexpr Duration kPlanInterval = std::chrono::milliseconds(200);

cluster::MemberReport report_of(const tree::MemberFacts& facts) {
  cluster::MemberReport out;
  out.node = facts.node;
  out.role = enum_from_name<cluster::NodeRole>(facts.role).value_or(cluster::NodeRole::compute);
  out.incarnation = facts.incarnation;
  out.starts = facts.starts;
  out.boot_id = facts.boot_id;
  out.version = facts.version;
  out.address = facts.address;
  out.state = static_cast<cluster::MemberState>(facts.state);
  out.path_epoch = facts.path_epoch;
  out.since = facts.since;
  out.why = facts.why;
  return out;
}

std::string aggregator_key(const std::string& name) {
  return "aggregator/" + name;
}

}  // namespace

MasterTree::MasterTree(Seams seams, MasterTreeConfig config,
                       Callback<std::shared_ptr<net::Security>()> security, store::Store& store,
                       cluster::Model& model, Admit admit, TakeSample take_sample)
    : seams_(seams),
      config_(std::move(config)),
      log_(seams.log, "tree"),
      links_{seams.executor, log_.with("link"), config_.self, config_.timing.silence,
             config_.timing.hello},
      store_(store),
      model_(model),
      admit_(std::move(admit)),
      take_sample_(std::move(take_sample)),
      door_(links_, seams.net, std::move(security),
            tree::LinkExpectation{{tree::Role::aggregator, tree::Role::utility, tree::Role::boot},
                                  {}},
            *this),
      channels_(
          seams.executor, [] { return nullptr; }, [] { return "a master dials nobody"; }),
      calls_(seams.executor, log_.with("call"), *this, door_, {}),
      records_(seams.executor, seams.random, log_.with("records"), store, door_),
      liveness_({config_.timing.confirm_grace}, seams.executor.wall()),
      doubtful_(seams.executor, DoubtfulLosses::wait_of(config_.timing.confirm_grace)),
      planner_([&] {
        tree::PathPlannerSettings paths = config_.paths;
        paths.epoch_floor = tree::epoch_floor(config_.self.incarnation);
        return paths;
      }()),
      heartbeat_(seams.executor, config_.timing.heartbeat, [this](uint64_t n) { beat(n); }),
      settings_(log_.with("settings"), config_.own_settings),
      started_(seams.executor.now()) {
  liveness_.reporter_up(kSelfReporter);
  liveness_.resynced(kSelfReporter, seams.executor.now());
}

MasterTree::~MasterTree() = default;

void MasterTree::publish(const cluster::SettingBook& book) {
  settings_.put({config_.self.incarnation, book.version()}, book.settings());
  door_.send_all(tree::MessageType::settings, settings_.message(true));
}

void MasterTree::apply(const cluster::Settings& settings) {
  config_.timing = with_settings(config_.timing, settings);
  config_.paths.hold = config_.timing.hold;
  config_.paths.batch_least = static_cast<size_t>(settings.integer("tree.move_least"));
  config_.paths.batch_share = static_cast<double>(settings.integer("tree.move_percent")) / 100;
  tree::PathPlannerSettings paths = config_.paths;
  paths.epoch_floor = tree::epoch_floor(config_.self.incarnation);
  planner_.set_settings(paths);
  heartbeat_.set_interval(config_.timing.heartbeat);
  if (std::exchange(links_.silence_limit, config_.timing.silence) != config_.timing.silence) {
    door_.judge_anew();
  }
}

void MasterTree::use(NodeUpDesk& desk) {
  node_up_ = &desk;
  liveness_.set_gate([&desk](const cluster::Verdict& verdict) { return desk.gate(verdict); });
  records_.on_node_up([&desk](const std::string& node, const cluster::NodeUpReport& report) {
    desk.reported(node, report);
  });
}

void MasterTree::reconsider(const std::string& node) {
  liveness_.reconsider(node);
  settle_soon();
}

void MasterTree::start(Worker& worker) {
  settings_.on_change([this](const cluster::Settings& settings) { apply(settings); });
  for (const auto& [name, entry] : model_.nodes()) node_stored(entry.node());
  heartbeat_.prove(worker);
  heartbeat_.start();
  plan_timer_.after(seams_.executor, config_.settle, [this] { plan(); });
  settle_soon();
}

void MasterTree::stop() {
  stopping_ = true;  // links that end now say nothing about those behind them
  heartbeat_.stop();
  plan_timer_.cancel();
  settle_timer_.cancel();
  doubtful_.clear_all();
  door_.close(Error{Code::cancelled, "the master is stopping", {}, {}});
}

void MasterTree::node_stored(const cluster::Node& node, bool planned) {
  liveness_.set_durable(node.name, node.role, cluster::weighed_phase(node.phase));
  if (node.role == cluster::NodeRole::compute && !planned) planner_.add_node(node.name, 0);
  settle_soon();
}

void MasterTree::node_removed(const std::string& name) {
  liveness_.remove(name);
  planner_.remove_node(name);
}

// --- children ---------------------------------------------------------------------------------

Status MasterTree::admit(const tree::Introduction& peer, const std::string& key_sha256) {
  return admit_(peer, key_sha256);
}

void MasterTree::revocations_changed() {
  door_.admit_again();
  for (const auto& [key, link] : door_.links()) {
    if (link->peer().role == tree::Role::aggregator) send_revocations(*link);
  }
}

void MasterTree::send_revocations(tree::Link& link) {
  if (!config_.revocations) return;
  for (const std::string& message : encode_revocations(config_.revocations())) {
    (void)link.send_encoded(tree::MessageType::revocations, message);
  }
}

void MasterTree::on_door_ready(tree::Link& link, bool replaced) {
  const tree::Introduction& peer = link.peer();
  if (const std::string settings = settings_.message(true); !settings.empty()) {
    (void)link.send_encoded(tree::MessageType::settings, settings);
  }
  ChildStatus& child = children_[door_.key_of(peer)];
  const bool news = !child.linked || child.daemon.incarnation != peer.incarnation;
  child.daemon = peer;
  child.address = link.transport_peer().address;
  child.linked = true;
  if (news) child.since = seams_.executor.wall();
  child.why.clear();
  if (replaced) {
    // What was under way on the old link goes again, under the same id.
    calls_.on_link_lost(door_.key_of(peer),
                        Error{Code::unreachable, "its link was replaced", {}, {}});
  }
  if (peer.role == tree::Role::utility) {
    doubtful_.clear(peer.name);
    liveness_.report(kSelfReporter, utility_report(link, true, {}), seams_.executor.now());
  } else if (peer.role == tree::Role::aggregator) {
    liveness_.reporter_up(peer.name);
    planner_.aggregator_up(peer.name, seams_.executor.now());
    assign_all_of(peer.name);
    send_revocations(link);
  }
  settle_soon();
}

void MasterTree::on_door_lost(tree::Link& link, const Error& why) {
  if (stopping_) return;
  const tree::Introduction& peer = link.peer();
  const std::string key = door_.key_of(peer);
  log_.warning("lost a daemon", {{"daemon", key}, {"why", why.text()}});
  ChildStatus& child = children_[key];
  child.linked = false;
  child.since = seams_.executor.wall();
  child.why = why.text();
  spools_.erase(key);
  if (peer.role == tree::Role::utility) {
    lose_utility(link, why.text());
  } else if (peer.role == tree::Role::aggregator) {
    named_.erase(peer.name);
    liveness_.reporter_lost(peer.name, why.text(), seams_.executor.now(), seams_.executor.wall());
    planner_.aggregator_down(peer.name, seams_.executor.now());
    calls_.on_link_lost(key, why);
  }
  settle_soon();
}

// When it was this master that was silent, or that has just been stopped itself, the end of a link
// says nothing about the daemon at its other end: nobody vouches for it until it is back.
void MasterTree::lose_utility(const tree::Link& link, const std::string& why) {
  const cluster::MemberReport lost = utility_report(link, false, why);
  if (!link.peer_missed_us() && !links_.awake.just_woke()) {
    liveness_.report(kSelfReporter, lost, seams_.executor.now());
    return;
  }
  liveness_.left(kSelfReporter, lost.node, "it ended its link while this master was silent",
                 seams_.executor.wall());
  if (link.peer_missed_us()) return;
  doubtful_.hold(lost.node, [this, lost] {
    liveness_.report(kSelfReporter, lost, seams_.executor.now());
    settle_soon();
  });
}

cluster::MemberReport MasterTree::utility_report(const tree::Link& link, bool alive,
                                                 const std::string& why) const {
  const tree::Introduction& peer = link.peer();
  cluster::MemberReport report;
  report.node = peer.name;
  report.role = cluster::NodeRole::utility;
  report.incarnation = peer.incarnation;
  report.starts = peer.starts;
  report.boot_id = peer.boot_id;
  report.version = peer.version;
  report.address = link.transport_peer().address;
  report.state = alive ? cluster::MemberState::primary : cluster::MemberState::lost;
  report.since = seams_.executor.wall();
  report.why = why;
  return report;
}

void MasterTree::on_door_message(tree::Link& link, tree::MessageType type,
                                 std::string_view payload) {
  switch (link.peer().role) {
    case tree::Role::aggregator:
      return on_aggregator_message(link, type, payload);
    case tree::Role::utility:
      return on_utility_message(link, type, payload);
    default:
      return on_boot_message(link, type, payload);
  }
}

void MasterTree::on_boot_message(tree::Link& link, tree::MessageType type,
                                 std::string_view payload) {
  const std::string key = door_.key_of(link.peer());
  switch (type) {
    case tree::MessageType::heartbeat:
      on_heartbeat(link, payload);
      return;
    case tree::MessageType::records:
      records_.take(key, payload, link.peer().name);
      return;
    default:
      log_.warning("a boot daemon sent what it does not send",
                   {{"daemon", key}, {"message", std::string(tree::name(type))}});
  }
}

void MasterTree::on_utility_message(tree::Link& link, tree::MessageType type,
                                    std::string_view payload) {
  const std::string& name = link.peer().name;
  switch (type) {
    case tree::MessageType::heartbeat:
      on_heartbeat(link, payload);
      return;
    case tree::MessageType::call_answer:
      calls_.on_answer(door_.key_of(link.peer()), payload);
      return;
    case tree::MessageType::records:
      records_.take(door_.key_of(link.peer()), payload, name);
      return;
    default:
      log_.warning("a utility daemon sent what it does not send",
                   {{"daemon", name}, {"message", std::string(tree::name(type))}});
  }
}

void MasterTree::on_aggregator_message(tree::Link& link, tree::MessageType type,
                                       std::string_view payload) {
  const std::string key = door_.key_of(link.peer());
  switch (type) {
    case tree::MessageType::heartbeat:
      on_heartbeat(link, payload);
      return;
    case tree::MessageType::members_digest:
      on_members_digest(link, payload);
      return;
    case tree::MessageType::members:
      on_members(link.peer().name, payload);
      return;
    case tree::MessageType::call_answers:
      calls_.on_answers(key, payload);
      return;
    case tree::MessageType::call_answer:
      calls_.on_answer(key, payload);
      return;
    case tree::MessageType::records:
      records_.take(key, payload, {});
      return;
    case tree::MessageType::samples:
      on_samples(payload);
      return;
    default:
      log_.warning("an aggregator sent what it does not send",
                   {{"daemon", key}, {"message", std::string(tree::name(type))}});
  }
}

void MasterTree::on_door_channel(tree::Link& link, const std::string& kind,
                                 std::unique_ptr<tree::Channel> channel) {
  if (kind == tree::kHttpChannel) channels_.accept(link, std::move(channel));
}

void MasterTree::on_samples(std::string_view payload) {
  proto::Samples message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  const WallTime now = seams_.executor.wall();
  for (const auto& entry : message.samples()) {
    if (!entry.sample().empty()) take_sample_(entry.node(), entry.sample());
    if (!entry.spool().empty()) take_spool("compute/" + entry.node(), entry.spool());
    model_.seen(entry.node(), now);
  }
}

void MasterTree::on_heartbeat(const tree::Link& link, std::string_view payload) {
  proto::Heartbeat message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  if (!message.spool().empty()) take_spool(door_.key_of(link.peer()), message.spool());
  if (link.peer().role != tree::Role::utility) return;
  if (!message.sample().empty()) take_sample_(link.peer().name, message.sample());
  model_.seen(link.peer().name, seams_.executor.wall());
}

void MasterTree::take_spool(const std::string& daemon, const std::string& told) {
  const auto spool = read_spool(told);
  if (!spool) {
    log_.warning("a spool state was ignored", {{"daemon", daemon}, {"why", spool.error().text()}});
  } else if (spool->records == 0) {
    spools_.erase(daemon);
  } else {
    spools_[daemon] = {daemon, spool->records, seams_.executor.wall() - spool->oldest_age,
                       spool->bytes};
  }
}

std::vector<cluster::SpoolFacts> MasterTree::spools() const {
  std::vector<cluster::SpoolFacts> out;
  for (const auto& [daemon, facts] : spools_) out.push_back(facts);
  return out;
}

// --- membership -------------------------------------------------------------------------------

void MasterTree::on_members_digest(tree::Link& link, std::string_view payload) {
  proto::MembersDigest message;
  const std::string& aggregator = link.peer().name;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      message.buckets_size() != static_cast<int>(tree::kDigestBuckets)) {
    log_.warning("a membership digest that cannot be read", {{"aggregator", aggregator}});
    return;
  }
  tree::MembersDigest theirs{};
  std::copy(message.buckets().begin(), message.buckets().end(), theirs.begin());
  const std::vector<uint32_t> differing = tables_[aggregator].differing(theirs);
  if (differing.empty()) {
    liveness_.resynced(aggregator, seams_.executor.now());
    settle_soon();
    return;
  }
  const std::set<uint32_t> asked(differing.begin(), differing.end());
  named_[aggregator].clear();
  liveness_.resync(aggregator, [asked](const std::string& node) {
    return asked.contains(static_cast<uint32_t>(tree::digest_bucket(node)));
  });
  proto::MembersWanted wanted;
  for (const uint32_t bucket : differing) wanted.add_buckets(bucket);
  (void)link.send(tree::MessageType::members_wanted, wanted);
}

void MasterTree::on_members(const std::string& aggregator, std::string_view payload) {
  proto::Members message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    log_.warning("members that cannot be read", {{"aggregator", aggregator}});
    return;
  }
  const MonoTime now = seams_.executor.now();
  tree::MemberTable& table = tables_[aggregator];
  const auto resync = named_.find(aggregator);
  for (const proto::Member& member : message.members()) {
    auto facts = decode(member);
    if (!facts) {
      log_.warning("a member that makes no sense was ignored",
                   {{"aggregator", aggregator}, {"why", facts.error().text()}});
      continue;
    }
    table.put(*facts);
    if (resync != named_.end()) resync->second.insert(facts->node);
    planner_.add_node(facts->node, facts->path_epoch);
    liveness_.report(aggregator, report_of(*facts), now);
  }
  for (const std::string& node : message.forgotten()) {
    table.forget(node);
    liveness_.left(aggregator, node, aggregator + " no longer hears it", seams_.executor.wall());
  }
  if (message.complete()) finish_resync(aggregator, message);
  settle_soon();
}

// What the aggregator did not name in the buckets that we asked for is no member of it.
void MasterTree::finish_resync(const std::string& aggregator, const proto::Members& message) {
  const std::set<uint32_t> buckets(message.buckets().begin(), message.buckets().end());
  const std::set<std::string> named = std::move(named_[aggregator]);
  named_.erase(aggregator);
  tree::MemberTable& table = tables_[aggregator];
  std::vector<std::string> gone;
  for (const auto& [node, facts] : table.all()) {
    if (buckets.contains(static_cast<uint32_t>(tree::digest_bucket(node))) &&
        !named.contains(node)) {
      gone.push_back(node);
    }
  }
  for (const std::string& node : gone) table.forget(node);
  liveness_.resynced(aggregator, seams_.executor.now());
}

void MasterTree::settle_soon() {
  if (settling_) return;
  settling_ = true;
  seams_.executor.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) settle();
  });
}

void MasterTree::settle() {
  settling_ = false;
  if (stopping_) return;
  const MonoTime now = seams_.executor.now();
  cluster::Liveness::Outcome outcome = liveness_.take(now);
  for (const cluster::Verdict& verdict : outcome.verdicts) {
    const bool heard = verdict.phase == cluster::PhaseState::up && verdict.confirmed;
    if (heard && node_up_ != nullptr) node_up_->heard(verdict);
    model_.take(verdict, seams_.executor.wall());
    if (verdict.phase == cluster::PhaseState::lost) spools_.erase("compute/" + verdict.node);
    if (verdict.role == cluster::NodeRole::compute)
      planner_.observe(verdict.node, verdict.primary, 0);
  }
  if (!outcome.durable.empty()) write_phases(std::move(outcome.durable));
  if (!outcome.verdicts.empty()) {
    calls_.paths_changed();
    plan();
  }
  if (const auto next = liveness_.next_deadline(); next) {
    settle_timer_.after(seams_.executor, std::max(*next - now, Duration::zero()),
                        [this] { settle(); });
  }
}

void MasterTree::write_phases(std::vector<cluster::PhaseChange> changes) {
  auto shared = std::make_shared<const std::vector<cluster::PhaseChange>>(std::move(changes));
  store_.write(
      "daemon:master/" + config_.self.name,
      [shared](store::Transaction& tx) -> Status {
        DROVER_TRY([[maybe_unused]] auto written, cluster::write_phases(tx, *shared));
        return {};
      },
      [this, alive = std::weak_ptr<bool>(alive_), shared](const Result<store::Committed>& done) {
        if (alive.expired() || done) return;
        log_.error("phases could not be stored", {{"why", done.error().text()}});
        for (const cluster::PhaseChange& change : *shared) {
          const cluster::NodeEntry* entry = model_.find(change.node);
          if (entry != nullptr) node_stored(entry->node());
        }
      });
}

// --- paths ------------------------------------------------------------------------------------

void MasterTree::plan() {
  const MonoTime now = seams_.executor.now();
  if (now - started_ < config_.settle) return;
  const std::vector<std::string> changed = planner_.plan(now);
  if (!changed.empty()) send_assignments(changed);
  plan_timer_.after(seams_.executor, kPlanInterval, [this] { plan(); });
}

void MasterTree::send_assignments(const std::vector<std::string>& all) {
  for (size_t at = 0; at < all.size(); at += kNodesPerMessage) {
    send_some_assignments(std::span(all).subspan(at, std::min(kNodesPerMessage, all.size() - at)));
  }
}

void MasterTree::send_some_assignments(std::span<const std::string> nodes) {
  std::map<std::string, proto::PathAssignments> messages;
  const auto add = [&](const std::string& aggregator, const std::string& node,
                       const tree::PathAssignment& assigned) {
    if (aggregator.empty() || door_.find(aggregator_key(aggregator)) == nullptr) return;
    proto::PathAssignments& message = messages[aggregator];
    auto* entry = message.add_entries();
    entry->set_node(node);
    entry->set_primary(assigned.primary);
    entry->set_secondary(assigned.secondary);
    entry->set_epoch(assigned.epoch);
  };
  for (const std::string& node : nodes) {
    const tree::PathAssignment* assigned = planner_.assignment(node);
    if (assigned == nullptr) continue;
    // Whoever is to serve it must know; whoever holds its link now must tell it.
    std::set<std::string> concerned{assigned->primary, assigned->secondary};
    for (const auto& [aggregator, table] : tables_) {
      if (table.find(node) != nullptr) concerned.insert(aggregator);
    }
    for (const std::string& aggregator : concerned) add(aggregator, node, *assigned);
  }
  for (auto& [aggregator, message] : messages) {
    for (const auto& [key, child] : children_) {
      if (child.daemon.role != tree::Role::aggregator) continue;
      auto* entry = message.add_aggregators();
      entry->set_name(child.daemon.name);
      for (const std::string& endpoint : child.daemon.listens) entry->add_endpoints(endpoint);
    }
    (void)door_.send(aggregator_key(aggregator), tree::MessageType::path_assignments,
                     message.SerializeAsString());
  }
}

void MasterTree::assign_all_of(const std::string& aggregator) {
  std::vector<std::string> nodes;
  for (const auto& [node, entry] : model_.nodes()) {
    const tree::PathAssignment* assigned = planner_.assignment(node);
    if (assigned == nullptr) continue;
    if (assigned->primary == aggregator || assigned->secondary == aggregator) nodes.push_back(node);
  }
  send_assignments(nodes);
}

Result<tree::CallRoute> MasterTree::route(const std::string& target) {
  const cluster::NodeEntry* entry = model_.find(target);
  if (entry == nullptr)
    return fail(Code::not_found, "no node is named " + target, "drover node list");
  if (entry->node().role == cluster::NodeRole::utility) {
    const std::string key = "utility/" + target;
    if (door_.find(key) != nullptr) return tree::CallRoute{key, true};
  } else if (entry->agent) {
    // In the moment of a failover the primary is gone and the secondary, just as warm, takes calls.
    for (const std::string* via : {&entry->agent->primary, &entry->agent->secondary}) {
      if (via->empty()) continue;
      const std::string key = aggregator_key(*via);
      if (door_.find(key) != nullptr) return tree::CallRoute{key, false};
    }
  }
  const cluster::Phase& phase = entry->node().phase;
  return fail(Code::unreachable,
              fmt::format("no path to it: {} since {}{}{}", enum_name(phase.state),
                          to_rfc3339(phase.since), phase.why.empty() ? "" : ": ", phase.why),
              "drover health");
}

void MasterTree::beat(uint64_t sequence) {
  proto::Heartbeat message;
  message.set_sequence(sequence);
  const std::string bytes = message.SerializeAsString();
  for (const auto& [key, link] : door_.links()) {
    (void)link->send_encoded(tree::MessageType::heartbeat, bytes);
  }
}

}  // namespace drover::daemons
