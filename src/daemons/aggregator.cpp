#include "daemons/aggregator.hpp"

#include "daemons/advertise.hpp"
#include "proto/link.pb.h"
#include "proto/paths.pb.h"
#include "proto/telemetry.pb.h"
#include "telemetry/sample.hpp"

#include <iterator>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::daemons {
namespace {

/// Samples in one message: about 300 bytes each.
constexpr int kSamplesPerMessage = 1000;
/// .. and at most this many bytes, well below the frame limit.
constexpr size_t kSampleBytesPerMessage = size_t{512} << 10;
/// What one node may have waiting: whole samples of 200 metrics are 8 KiB.
constexpr size_t kMaxSample = size_t{64} << 10;
/// An encoded SpoolState: four numbers.
constexpr size_t kMaxSpoolState = 64;
/// Nodes whose full samples a new master is sent with one beat: about 1 KiB each.
constexpr size_t kGreetedPerBeat = 2000;

}  // namespace

Aggregator::Aggregator(Seams seams, AggregatorConfig config,
                       Callback<std::shared_ptr<net::Security>()> security)
    : seams_(seams),
      config_(std::move(config)),
      log_(seams.log, "aggregator"),
      links_{seams.executor, log_.with("link"), config_.self, config_.timing.silence,
             config_.timing.hello},
      uplinks_{links_, seams.net, seams.random, std::move(security)},
      nodes_(
          links_, seams.net, [this] { return uplinks_.security(); },
          tree::LinkExpectation{{tree::Role::compute}, {}}, *this),
      masters_(uplinks_, *this),
      board_(seams.executor, config_.timing.members_flush, masters_,
             [this] { return masters_.ready(); }),
      doubtful_(seams.executor, DoubtfulLosses::wait_of(config_.timing.confirm_grace)),
      runner_(seams.executor, log_.with("call"), masters_, {}),
      calls_(seams.executor, log_.with("call"), masters_, nodes_, &runner_, {}),
      worker_(seams.executor.make_worker("work")),
      heartbeat_(seams.executor, config_.timing.heartbeat, [this](uint64_t n) { beat(n); }),
      settings_(log_.with("settings"), config_.own_settings),
      losses_(seams.executor, log_),
      cut_off_(CutOff{seams.executor.wall(), "not linked since its start"}) {}

Aggregator::~Aggregator() = default;

Status Aggregator::start() {
  for (const net::Endpoint& at : config_.listen) {
    DROVER_TRY(auto bound, nodes_.listen(at));
    bound_.push_back(std::move(bound));
  }
  links_.self.listens.clear();
  DROVER_CHECK_OK(check_dialable("advertise", config_.advertise));
  if (config_.advertise.empty()) config_.advertise = dialable(bound_, config_.host, log_);
  for (const net::Endpoint& endpoint : config_.advertise) {
    links_.self.listens.push_back(endpoint.text());
  }
  log_.notice("nodes are told to dial",
              {{"endpoints", fmt::format("{}", fmt::join(links_.self.listens, " "))}});
  records_ = std::make_unique<tree::RecordRelay>(seams_.executor, log_.with("records"), nodes_,
                                                 tree::RecordOutbox::Limits{},
                                                 tree::spool_at(seams_.disk, config_.spool_dir));
  runner_.handle("ping", tree::Repeat::harmless,
                 [](const tree::CallRequest&, tree::CallReply reply) { reply("pong"); });
  settings_.on_change([this](const cluster::Settings& settings) { apply(settings); });
  heartbeat_.prove(*worker_);
  heartbeat_.start();
  masters_.start(config_.masters, MasterLinks::Dial::all);
  return {};
}

void Aggregator::stop() {
  stopping_ = true;
  heartbeat_.stop();
  const Error why{Code::cancelled, "the aggregator is stopping", {}, {}};
  splices_.clear();
  doubtful_.clear_all();
  nodes_.close(why);
  masters_.stop(why);
}

// --- nodes ------------------------------------------------------------------------------------

Status Aggregator::admit(const tree::Introduction& peer, const std::string& key_sha256) {
  return revocations_.check(tree::name(peer.role), peer.name, key_sha256);
}

bool Aggregator::is_primary_for(const std::string& node) const {
  const tree::MemberFacts* facts = board_.table().find(node);
  return facts != nullptr && facts->state == tree::MemberState::primary;
}

tree::MemberFacts Aggregator::facts_of(const tree::Link& link, tree::MemberState state,
                                       uint64_t epoch, std::string why) const {
  const tree::Introduction& peer = link.peer();
  tree::MemberFacts facts;
  facts.node = peer.name;
  facts.role = std::string(tree::name(peer.role));
  facts.incarnation = peer.incarnation;
  facts.starts = peer.starts;
  facts.boot_id = peer.boot_id;
  facts.version = peer.version;
  facts.address = link.transport_peer().address;
  facts.state = state;
  facts.path_epoch = epoch;
  facts.why = std::move(why);
  const tree::MemberFacts* before = board_.table().find(peer.name);
  const bool same =
      before != nullptr && before->state == state && before->incarnation == facts.incarnation;
  facts.since = same ? before->since : seams_.executor.wall();
  return facts;
}

void Aggregator::note(const tree::Link& link, tree::MemberState state, uint64_t epoch,
                      std::string why) {
  board_.put(facts_of(link, state, epoch, std::move(why)));
}

void Aggregator::on_door_ready(tree::Link& link, bool replaced) {
  const std::string& node = link.peer().name;
  doubtful_.clear(node);
  if (replaced)
    calls_.on_node_lost(node, Error{Code::unreachable, "its link was replaced", {}, {}});
  send_settings(link);
  note(link, tree::MemberState::secondary, link.peer().path_epoch, {});
  if (std::string set = paths_.path_set(node); !set.empty()) {
    (void)link.send_encoded(tree::MessageType::path_set, set);
  }
}

void Aggregator::on_door_lost(tree::Link& link, const Error& why) {
  const std::string& node = link.peer().name;
  samples_.erase(node);
  spools_.erase(node);
  latest_.forget(node);
  if (stopping_) return;
  calls_.on_node_lost(node, why);
  const tree::PathAssignment* assigned = paths_.find(node);
  const bool mine = assigned == nullptr || assigned->primary == config_.self.name ||
                    assigned->secondary == config_.self.name;
  const tree::MemberFacts* facts = board_.table().find(node);
  const tree::MemberFacts lost =
      facts_of(link, tree::MemberState::lost, facts == nullptr ? 0 : facts->path_epoch, why.text());
  const bool moved = !mine && why.code == Code::cancelled;  // as decided
  // Of one that missed us: it lives, and it was we who were silent.
  if (moved || link.peer_missed_us()) {
    board_.forget(node);
  } else if (links_.awake.just_woke()) {
    board_.forget(node);
    doubtful_.hold(node, [this, lost] { board_.put(lost); });
  } else {
    losses_.lost(node, why);
    board_.put(lost);
  }
}

void Aggregator::on_door_message(tree::Link& link, tree::MessageType type,
                                 std::string_view payload) {
  switch (type) {
    case tree::MessageType::heartbeat:
      on_node_heartbeat(link, payload);
      return;
    case tree::MessageType::path_role:
      on_path_role(link, payload);
      return;
    case tree::MessageType::call_answer:
      calls_.on_answer(link.peer().name, payload);
      return;
    case tree::MessageType::records:
      // A node's messages go by its primary alone; what comes here is sent again there.
      if (is_primary_for(link.peer().name)) records_->on_records(link.peer().name, payload);
      return;
    default:
      // Least privilege: a node can say nothing else.
      log_.warning("a node sent what nodes do not send",
                   {{"node", link.peer().name}, {"message", std::string(tree::name(type))}});
  }
}

void Aggregator::on_node_heartbeat(tree::Link& link, std::string_view payload) {
  proto::Heartbeat message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  if (!message.sample().empty() && is_primary_for(link.peer().name)) {
    std::string& waiting = samples_[link.peer().name];
    // Protobuf messages concatenate: repeated fields add up, so an unsent delta is not lost.
    if (waiting.size() + message.sample().size() <= kMaxSample) waiting += message.sample();
    if (const Status taken =
            latest_.apply_bytes(link.peer().name, message.sample(), seams_.executor.now());
        !taken) {
      log_.warning("a sample that cannot be read",
                   {{"node", link.peer().name}, {"why", taken.error().text()}});
    }
  }
  if (!message.spool().empty() && message.spool().size() <= kMaxSpoolState &&
      is_primary_for(link.peer().name)) {
    spools_[link.peer().name] = message.spool();
  }
  // Our own beat answers, unless our workers are hung: then silence tells the node.
  if (seams_.executor.now() - last_beat_ < config_.timing.silence && !heartbeat_bytes_.empty()) {
    (void)link.send_encoded(tree::MessageType::heartbeat, heartbeat_bytes_);
  }
}

void Aggregator::on_path_role(tree::Link& link, std::string_view payload) {
  proto::PathRole message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  note(link, message.primary() ? tree::MemberState::primary : tree::MemberState::secondary,
       message.epoch(), {});
  // What we said while another was its primary it may have judged by other rules.
  if (message.primary()) send_settings(link);
}

void Aggregator::on_door_channel(tree::Link& link, const std::string& kind,
                                 std::unique_ptr<tree::Channel> channel) {
  tree::Link* up = masters_.up();
  if (kind != tree::kHttpChannel) {
    channel->reset(Error{Code::unsupported, "no channel of kind " + kind, {}, {}});
    return;
  }
  if (up == nullptr) {
    channel->reset(Error{
        Code::unreachable, "aggregator " + config_.self.name + " has no link to a master", {}, {}});
    return;
  }
  (void)link;
  const auto place = splices_.insert(splices_.end(), nullptr);
  *place = std::make_unique<tree::ChannelSplice>(seams_.executor, std::move(channel),
                                                 up->open_channel(kind, {}),
                                                 [this, place] { splices_.erase(place); });
}

// --- masters ----------------------------------------------------------------------------------

void Aggregator::on_master_ready(tree::Link& link) {
  board_.greet(link.peer().name);
  std::vector<std::string>& nodes = greeted_[link.peer().name];
  nodes.clear();
  for (const auto& [name, facts] : board_.table().all()) {
    if (facts.state == tree::MemberState::primary) nodes.push_back(name);
  }
}

void Aggregator::on_master_lost(const std::string& name, const Error& why) {
  calls_.on_master_lost(name);
  greeted_.erase(name);
  if (masters_.ready().empty()) {
    cut_off_ = CutOff{seams_.executor.wall(), fmt::format("lost {}: {}", name, why.text())};
  }
}

void Aggregator::on_way_up(tree::WayUp* way) {
  if (way != nullptr) cut_off_.reset();
  records_->use(way);
}

void Aggregator::on_master_message(tree::Link& link, tree::MessageType type,
                                   std::string_view payload) {
  const std::string& master = link.peer().name;
  switch (type) {
    case tree::MessageType::members_wanted:
      board_.on_wanted(master, payload);
      return;
    case tree::MessageType::settings:
      on_settings(link, payload);
      return;
    case tree::MessageType::path_assignments:
      on_path_assignments(payload);
      return;
    case tree::MessageType::revocations:
      on_revocations(link, payload);
      return;
    case tree::MessageType::call:
      calls_.on_call(master, payload);
      return;
    case tree::MessageType::call_cancel:
      calls_.on_cancel(master, payload);
      return;
    case tree::MessageType::record_acks:
      records_->on_acks(payload);
      return;
    default:
      return;
  }
}

void Aggregator::on_path_assignments(std::string_view payload) {
  auto fresh = paths_.take(payload);
  if (!fresh) {
    log_.error("path assignments were ignored", {{"why", fresh.error().text()}});
    return;
  }
  for (const std::string& node : *fresh) {
    if (tree::Link* link = nodes_.find(node); link != nullptr) {
      (void)link->send_encoded(tree::MessageType::path_set, paths_.path_set(node));
      continue;
    }
    // A node that is served elsewhere and has no link here is none of ours any more.
    const tree::PathAssignment* assigned = paths_.find(node);
    if (assigned->primary != config_.self.name && assigned->secondary != config_.self.name) {
      board_.forget(node);
    }
  }
}

// --- settings ---------------------------------------------------------------------------------

void Aggregator::on_settings(const tree::Link& master, std::string_view payload) {
  if (!settings_.take(payload, &master == masters_.up())) return;
  nodes_.send_all(tree::MessageType::settings, settings_.message(true));
}

void Aggregator::send_settings(tree::Link& node) {
  const std::string message = settings_.message(masters_.up() != nullptr);
  if (!message.empty()) (void)node.send_encoded(tree::MessageType::settings, message);
}

void Aggregator::apply(const cluster::Settings& settings) {
  config_.timing = with_settings(config_.timing, settings);
  heartbeat_.set_interval(config_.timing.heartbeat);
  if (std::exchange(links_.silence_limit, config_.timing.silence) != config_.timing.silence) {
    nodes_.judge_anew();
    masters_.judge_anew();
  }
}

// --- revocations ------------------------------------------------------------------------------

void Aggregator::on_revocations(const tree::Link& master, std::string_view payload) {
  const auto newer = revocations_.take(master.peer().name, master.peer().incarnation, payload);
  if (!newer) {
    log_.error("a revocation list was ignored", {{"why", newer.error().text()}});
  } else if (*newer) {
    nodes_.admit_again();
  }
}

// --- beats ------------------------------------------------------------------------------------

void Aggregator::beat(uint64_t sequence) {
  last_beat_ = seams_.executor.now();
  proto::Heartbeat down;
  down.set_sequence(sequence);
  if (cut_off_) {
    down.set_no_master_since_ms(to_unix_ms(cut_off_->since));
    down.set_no_master_why(cut_off_->why);
  }
  heartbeat_bytes_ = down.SerializeAsString();
  proto::Heartbeat up;
  up.set_sequence(sequence);
  up.set_spool(spool_reporter_.tell(records_->stats()));
  masters_.send_all(tree::MessageType::heartbeat, up.SerializeAsString());
  flush_samples();
  greet_with_samples();
}

// Nodes send what has changed: a master that has just been linked would know the rest only when
// they next send everything.
void Aggregator::greet_with_samples() {
  for (auto it = greeted_.begin(); it != greeted_.end();) {
    auto& [master, nodes] = *it;
    proto::Samples message;
    size_t size = 0;
    for (size_t sent = 0; sent < kGreetedPerBeat && !nodes.empty(); ++sent) {
      const auto sample = latest_.full_sample(nodes.back());
      if (sample) {
        auto* entry = message.add_samples();
        entry->set_node(nodes.back());
        entry->set_sample(telemetry::encode_sample(*sample));
        size += entry->sample().size();
      }
      nodes.pop_back();
      if (size < kSampleBytesPerMessage && !nodes.empty() && sent + 1 < kGreetedPerBeat) continue;
      if (message.samples_size() > 0) {
        (void)masters_.send(master, tree::MessageType::samples, message.SerializeAsString());
      }
      message.Clear();
      size = 0;
    }
    it = nodes.empty() ? greeted_.erase(it) : std::next(it);
  }
}

void Aggregator::flush_samples() {
  for (const auto& [node, spool] : spools_) samples_.try_emplace(node);
  if (samples_.empty()) return;
  proto::Samples message;
  size_t size = 0;
  const auto send = [&] {
    size = 0;
    masters_.send_all(tree::MessageType::samples, message.SerializeAsString());
    message.Clear();
  };
  for (auto& [node, sample] : samples_) {
    auto* entry = message.add_samples();
    entry->set_node(node);
    size += node.size() + sample.size();
    entry->set_sample(std::move(sample));
    if (const auto spool = spools_.find(node); spool != spools_.end()) {
      entry->set_spool(spool->second);
    }
    if (message.samples_size() >= kSamplesPerMessage || size >= kSampleBytesPerMessage) send();
  }
  if (message.samples_size() > 0) send();
  samples_.clear();
  spools_.clear();
}

}  // namespace drover::daemons
