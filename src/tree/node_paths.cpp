#include "tree/node_paths.hpp"

#include "proto/paths.pb.h"

#include <algorithm>

namespace drover::tree {
namespace {

Result<std::vector<net::Endpoint>> endpoints_of(const proto::Aggregator& aggregator) {
  std::vector<net::Endpoint> out;
  for (const std::string& text : aggregator.endpoints()) {
    DROVER_TRY(auto endpoint, net::Endpoint::parse(text));
    out.push_back(std::move(endpoint));
  }
  return out;
}

}  // namespace

NodePaths::NodePaths(UplinkContext& context, std::vector<net::Endpoint> seeds,
                     NodePathsEvents& events)
    : context_(context),
      seeds_(std::move(seeds)),
      events_(events),
      search_backoff_(context.backoff_base, context.backoff_cap) {
  // Every node draws its own order, so that a cold start spreads over the aggregators.
  for (size_t i = seeds_.size(); i > 1; --i) {
    std::swap(seeds_[i - 1], seeds_[context_.random.below(i)]);
  }
  epoch_ = context_.links.self.path_epoch;
}

NodePaths::~NodePaths() = default;

void NodePaths::start() {
  started_ = true;
  add_slot({"", seeds_});
}

void NodePaths::stop(const Error& why) {
  started_ = false;
  search_.cancel();
  primary_ = nullptr;
  const auto slots = std::move(slots_);
  slots_.clear();
  for (const auto& slot : slots) slot->uplink->close(why);
}

NodePaths::Slot& NodePaths::add_slot(Target target) {
  auto slot = std::make_unique<Slot>();
  slot->target = std::move(target);
  LinkExpectation expectation;
  expectation.roles = {Role::aggregator};
  expectation.name = slot->target.name;
  slot->uplink = std::make_unique<Uplink>(context_, std::move(expectation), *this);
  slot->uplink->set_targets(slot->target.endpoints, false);
  slots_.push_back(std::move(slot));
  return *slots_.back();
}

NodePaths::Slot* NodePaths::slot_of(const Link& link) {
  for (const auto& slot : slots_) {
    if (slot->uplink->link() == &link) return slot.get();
  }
  return nullptr;
}

Link* NodePaths::find(const std::string& aggregator) {
  for (const auto& slot : slots_) {
    Link* link = slot->uplink->link();
    if (link != nullptr && link->peer().name == aggregator) return link;
  }
  return nullptr;
}

void NodePaths::tell_role(Link& link, bool primary) {
  proto::PathRole message;
  message.set_primary(primary);
  message.set_epoch(epoch_);
  (void)link.send(MessageType::path_role, message);
}

void NodePaths::make_primary(Link* link) {
  if (link == primary_) return;
  Link* old = std::exchange(primary_, link);
  if (old == nullptr) primary_since_ = context_.links.executor.now();
  if (old != nullptr && slot_of(*old) != nullptr) tell_role(*old, false);
  if (link != nullptr) {
    tell_role(*link, true);
    context_.links.log.notice(
        "primary path", {{"aggregator", link->peer().name}, {"epoch", std::to_string(epoch_)}});
  } else {
    context_.links.log.warning("no path to any aggregator");
  }
  events_.on_primary(link);
}

// The desired primary when a newer decision says so; else whatever works, without moving
// needlessly.
void NodePaths::choose() {
  Link* wanted = nullptr;
  Link* other = nullptr;
  for (const auto& slot : slots_) {
    Link* link = slot->uplink->link();
    if (link == nullptr) continue;
    if (link->peer().name == desired_primary_) wanted = link;
    if (other == nullptr || link->peer().name == desired_secondary_) other = link;
  }
  if (wanted != nullptr && (follow_desired_ || primary_ == nullptr)) {
    follow_desired_ = false;
    make_primary(wanted);
  } else if (primary_ == nullptr) {
    make_primary(wanted != nullptr ? wanted : other);
  }
  for (const auto& slot : slots_) {
    if (primary_ != nullptr && slot->target.name.empty()) slot->retiring = true;
  }
  retire_others();
}

void NodePaths::look_anywhere() {
  const bool lasted = context_.links.executor.now() - primary_since_ >= context_.backoff_cap;
  if (lasted) search_backoff_.reset();
  // Whoever took this node last only sends it away: others are asked before.
  if (!lasted && seeds_.size() > 1) std::rotate(seeds_.begin(), seeds_.begin() + 1, seeds_.end());
  const Duration wait = lasted ? Duration::zero() : search_backoff_.next(context_.random);
  search_.after(context_.links.executor, wait, [this] { dial_seeds(); });
}

void NodePaths::dial_seeds() {
  for (const auto& slot : slots_) {
    if (slot->uplink->link() != nullptr || slot->target.name.empty()) return;
  }
  add_slot({"", seeds_});
}

void NodePaths::absorb_twin(Slot& own) {
  const auto twin = std::find_if(slots_.begin(), slots_.end(), [&](const auto& slot) {
    return slot.get() != &own && slot->target.name == own.target.name;
  });
  if (twin == slots_.end()) return;
  std::unique_ptr<Slot> gone = std::move(*twin);
  slots_.erase(twin);
  own.target = gone->target;
  own.retiring = gone->retiring;
  own.uplink->set_targets(own.target.endpoints, true);
  drop(std::move(gone), "replaced by a newer link to the same aggregator");
}

void NodePaths::drop(std::unique_ptr<Slot> slot, const char* why) {
  slot->uplink->close(Error{Code::cancelled, why, {}, {}});
  context_.links.executor.post([dropped = std::move(slot)]() mutable { dropped.reset(); });
}

void NodePaths::on_uplink_ready(Link& link) {
  if (Slot* slot = slot_of(link); slot != nullptr) {
    slot->target.name = link.peer().name;  // a seed learns its name here
    absorb_twin(*slot);
  }
  if (primary_ != nullptr && primary_ != &link) tell_role(link, false);
  choose();
}

void NodePaths::on_uplink_lost(Link& link, const Error& why) {
  if (primary_ == &link) {
    primary_ = nullptr;
    context_.links.log.warning("lost the primary path",
                               {{"aggregator", link.peer().name}, {"why", why.text()}});
    // Our own switch stands until a decision with a higher epoch: no flapping back by ourselves.
    follow_desired_ = false;
    Link* next = nullptr;
    for (const auto& slot : slots_) {
      Link* candidate = slot->uplink->link();
      if (candidate != nullptr && candidate != &link) next = candidate;
    }
    if (next != nullptr) {
      make_primary(next);
    } else if (started_) {
      events_.on_primary(nullptr);
      look_anywhere();
    }
  }
  events_.on_path_lost(link);
}

void NodePaths::on_uplink_replaced(Link& old, Link& fresh) {
  if (primary_ == &old) {
    primary_ = &fresh;
    tell_role(fresh, true);
    events_.on_primary(&fresh);
  } else {
    tell_role(fresh, false);
  }
  events_.on_path_lost(old);
}

void NodePaths::on_uplink_message(Link& link, MessageType type, std::string_view payload) {
  if (type != MessageType::path_set) {
    events_.on_path_message(link, type, payload);
    return;
  }
  proto::PathSet set;
  if (set.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) on_path_set(set);
}

void NodePaths::aim(Target target) {
  if (target.name.empty()) return;
  for (const auto& slot : slots_) {
    if (slot->target.name != target.name) continue;
    slot->retiring = false;
    slot->target = std::move(target);
    slot->uplink->set_targets(slot->target.endpoints, true);
    return;
  }
  add_slot(std::move(target));
}

void NodePaths::on_path_set(const proto::PathSet& set) {
  if (set.epoch() < epoch_ || (set.epoch() == epoch_ && !desired_primary_.empty())) return;
  auto primary = endpoints_of(set.primary());
  auto secondary = endpoints_of(set.secondary());
  if (!primary || !secondary || set.primary().name().empty() || primary->empty()) {
    context_.links.log.warning("a path decision that names no usable aggregator was ignored");
    return;
  }
  epoch_ = set.epoch();
  context_.links.self.path_epoch = epoch_;
  desired_primary_ = set.primary().name();
  desired_secondary_ = set.secondary().name();
  follow_desired_ = primary_ == nullptr || primary_->peer().name != desired_primary_;
  for (const auto& slot : slots_) slot->retiring = true;
  aim({desired_primary_, std::move(*primary)});
  aim({desired_secondary_, std::move(*secondary)});
  if (!follow_desired_ && primary_ != nullptr)
    tell_role(*primary_, true);  // confirms the new epoch
  choose();
}

// Links that no decision names go, once the named primary serves: never the one in use.
void NodePaths::retire_others() {
  if (primary_ == nullptr || follow_desired_) return;
  std::vector<std::unique_ptr<Slot>> gone;
  for (auto& slot : slots_) {
    if (slot->retiring && slot->uplink->link() != primary_) gone.push_back(std::move(slot));
  }
  std::erase(slots_, nullptr);
  for (auto& slot : gone) drop(std::move(slot), "moved to another aggregator");
}

void NodePaths::send_all(MessageType type, std::string_view payload_primary,
                         std::string_view payload_other) {
  for (const auto& slot : slots_) {
    Link* link = slot->uplink->link();
    if (link == nullptr) continue;
    (void)link->send_encoded(type, link == primary_ ? payload_primary : payload_other);
  }
}

void NodePaths::refresh() {
  for (const auto& slot : slots_) {
    if (slot->uplink->link() != primary_) slot->uplink->refresh();
  }
  if (primary_ == nullptr) return;
  if (Slot* slot = slot_of(*primary_); slot != nullptr) slot->uplink->refresh();
}

NodePathsStatus NodePaths::status() const {
  NodePathsStatus out;
  out.epoch = epoch_;
  for (const auto& slot : slots_) {
    out.slots.push_back({slot->target.name, slot->uplink->status(),
                         primary_ != nullptr && slot->uplink->link() == primary_});
  }
  return out;
}

}  // namespace drover::tree
