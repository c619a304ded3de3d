#include "cluster/model.hpp"

#include "cluster/bmc/hardware_book.hpp"

#include <fmt/format.h>

namespace drover::cluster {
namespace {

template <Described T>
Result<T> read_body(std::string_view kind, std::string_view key, std::string_view body) {
  auto value = decode_text<T>(body, Unknown::ignore);
  if (value) return value;
  return fail(Code::corrupt, fmt::format("the stored {} '{}' cannot be read: {}", kind, key,
                                         value.error().message));
}

/// "n1/cpu/0" to "n1" and "cpu/0".
std::pair<std::string_view, std::string_view> split_part_key(std::string_view key) {
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {key, {}};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace

Model::Model() : hardware_(std::make_unique<HardwareBook>()) {}
Model::~Model() = default;

Status Model::load(store::Store& store) {
  for (const std::string_view kind :
       {kNodeKind, kPartKind, kDaemonKind, kGroupKind, kProfileKind, kImageKind, kNetworkKind,
        kBootNextKind, kUnknownKind, kCloudInitKind, kStepsKind, kOverlayKind}) {
    DROVER_TRY(const auto objects, store.load(kind));
    for (const store::Object& object : objects) {
      DROVER_CHECK_OK(put(kind, object.key, object.body, object.revision));
      if (kind == kNodeKind) store.keep_reading(object, find(object.key)->stored);
    }
  }
  for (const std::string_view kind : kHardwareKinds) {
    DROVER_TRY(const auto objects, store.load(kind));
    for (const store::Object& object : objects) {
      DROVER_CHECK_OK(put(kind, object.key, object.body, object.revision));
    }
  }
  DROVER_CHECK_OK(settings_.load(store));
  sequence_ = store.head();
  return {};
}

Status Model::apply(std::span<const store::Change> changes) {
  Status first_error;
  for (const store::Change& change : changes) {
    Status applied = apply_one(change);
    if (!applied && first_error) first_error = std::move(applied);
    sequence_ = change.sequence;
  }
  if (settings_.apply(changes) && on_settings_) on_settings_();
  return first_error;
}

Status Model::apply_one(const store::Change& change) {
  if (change.operation == store::Operation::erase) {
    erase(change.kind, change.key);
    return {};
  }
  const std::string_view body = change.after ? std::string_view(*change.after) : "null";
  if (change.kind == kNodeKind) {
    return put_node(change.key, body, change.sequence, change.reading);
  }
  return put(change.kind, change.key, body, change.sequence);
}

Status Model::put(std::string_view kind, const std::string& key, std::string_view body,
                  uint64_t revision) {
  if (kind == kNodeKind) return put_node(key, body, revision, {});
  if (HardwareBook::knows(kind)) {
    const Status kept = hardware_->put(kind, key, body, revision);
    if (kept) return {};
    return fail(Code::corrupt, fmt::format("the stored {} '{}' cannot be read: {}", kind, key,
                                           kept.error().message));
  }
  if (kind == kPartKind) {
    DROVER_TRY(Part part, read_body<Part>(kind, key, body));
    const auto [node, rest] = split_part_key(key);
    parts_[std::string(node)][std::string(rest)] = std::move(part);
  } else if (kind == kDaemonKind) {
    DROVER_TRY(Daemon daemon, read_body<Daemon>(kind, key, body));
    daemons_[key] = std::move(daemon);
  } else if (kind == kGroupKind) {
    DROVER_TRY(Group group, read_body<Group>(kind, key, body));
    groups_[key] = {std::move(group), revision};
    forget_groups();
  } else if (kind == kProfileKind) {
    DROVER_TRY(Profile profile, read_body<Profile>(kind, key, body));
    profiles_[key] = {std::move(profile), revision};
    ++generation_;
  } else if (kind == kImageKind) {
    DROVER_TRY(Image image, read_body<Image>(kind, key, body));
    images_[key] = {std::move(image), revision};
  } else if (kind == kNetworkKind) {
    DROVER_TRY(Network network, read_body<Network>(kind, key, body));
    networks_[key] = {std::move(network), revision};
  } else if (kind == kBootNextKind) {
    DROVER_TRY(BootNext next, read_body<BootNext>(kind, key, body));
    boot_nexts_[key] = std::move(next);
  } else if (kind == kUnknownKind) {
    DROVER_TRY(UnknownMachine machine, read_body<UnknownMachine>(kind, key, body));
    unknown_[key] = std::move(machine);
  }
  return put_content(kind, key, body, revision);
}

Status Model::put_content(std::string_view kind, const std::string& key, std::string_view body,
                          uint64_t revision) {
  if (kind == kCloudInitKind) {
    DROVER_TRY(CloudInit definition, read_body<CloudInit>(kind, key, body));
    cloud_inits_[key] = {std::move(definition), revision};
  } else if (kind == kStepsKind) {
    DROVER_TRY(StepList list, read_body<StepList>(kind, key, body));
    step_lists_[key] = {std::move(list), revision};
  } else if (kind == kOverlayKind) {
    DROVER_TRY(Overlay overlay, read_body<Overlay>(kind, key, body));
    overlays_[key] = {std::move(overlay), revision};
  }
  return {};
}

bool Model::gives_content(const std::string& owner) const {
  return cloud_inits_.contains(owner) || step_lists_.contains(owner) || overlays_.contains(owner);
}

void Model::erase(std::string_view kind, const std::string& key) {
  if (kind == kNodeKind) {
    erase_node(key);
  } else if (kind == kPartKind) {
    const auto [node, rest] = split_part_key(key);
    const auto it = parts_.find(node);
    if (it == parts_.end()) return;
    it->second.erase(std::string(rest));
    if (it->second.empty()) parts_.erase(it);
  } else if (kind == kDaemonKind) {
    daemons_.erase(key);
  } else if (kind == kGroupKind) {
    groups_.erase(key);
    forget_groups();
  } else if (kind == kProfileKind) {
    profiles_.erase(key);
    ++generation_;
  } else if (kind == kImageKind) {
    images_.erase(key);
  } else if (kind == kNetworkKind) {
    networks_.erase(key);
  } else if (kind == kBootNextKind) {
    boot_nexts_.erase(key);
  } else if (kind == kUnknownKind) {
    unknown_.erase(key);
  } else if (kind == kCloudInitKind) {
    cloud_inits_.erase(key);
  } else if (kind == kStepsKind) {
    step_lists_.erase(key);
  } else if (kind == kOverlayKind) {
    overlays_.erase(key);
  } else {
    hardware_->erase(kind, key);
  }
}

Status Model::put_node(const std::string& key, std::string_view body, uint64_t revision,
                       const store::ReadingPointer& reading) {
  DROVER_TRY(auto stored, stored_node(key, body, reading));
  NodeEntry* known = find_mutable(key);
  const bool is_new = known == nullptr;
  if (is_new) {
    const auto it = nodes_.try_emplace(key).first;
    known = index_[it->first] = &it->second;
  }
  NodeEntry& entry = *known;
  const bool same_aliases = !is_new && entry.node().spec.aliases == stored->node.spec.aliases;
  if (!is_new && !same_aliases) index_aliases(entry, false);
  const auto before = std::exchange(entry.stored, std::move(stored));
  if (!same_aliases) index_aliases(entry, true);
  entry.revision = revision;
  if (entry.vouched) entry.confirmed = agrees(*entry.vouched, entry.node().phase.state);
  entry.encoded.clear();
  ++generation_;
  if (on_node_) on_node_({key, is_new ? nullptr : &before->node, &entry.node()});
  return {};
}

void Model::erase_node(const std::string& key) {
  const auto it = nodes_.find(key);
  if (it == nodes_.end()) return;
  index_.erase(it->first);
  index_aliases(it->second, false);
  const auto taken = nodes_.extract(it);
  ++generation_;
  if (on_node_) on_node_({taken.key(), &taken.mapped().node(), nullptr});
}

NodeEntry* Model::find_mutable(std::string_view name) {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : it->second;
}

const NodeEntry* Model::find(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : it->second;
}

const Model::Parts& Model::parts_of(std::string_view node) const {
  static const Parts none;
  const auto it = parts_.find(node);
  return it == parts_.end() ? none : it->second;
}

void Model::set_agent(std::string_view name, Agent agent) {
  NodeEntry* entry = find_mutable(name);
  if (entry == nullptr) return;
  entry->agent = std::move(agent);
  ++generation_;
}

bool Model::agrees(PhaseState vouched, PhaseState stored) {
  return !(vouched == PhaseState::lost && stored == PhaseState::up) &&
         !(vouched == PhaseState::up && stored == PhaseState::lost);
}

void Model::set_confirmed(std::string_view name, bool confirmed) {
  NodeEntry* entry = find_mutable(name);
  if (entry == nullptr || entry->confirmed == confirmed) return;
  entry->confirmed = confirmed;
  entry->encoded.clear();
  ++generation_;
}

void Model::seen(std::string_view name, WallTime when) {
  NodeEntry* entry = find_mutable(name);
  if (entry != nullptr && entry->agent) entry->agent->last_seen = when;
}

void Model::take(const Verdict& verdict, WallTime now) {
  if (NodeEntry* known = find_mutable(verdict.node); known != nullptr) {
    known->vouched = verdict.confirmed ? std::optional(verdict.phase) : std::nullopt;
    set_confirmed(verdict.node,
                  verdict.confirmed && agrees(verdict.phase, known->node().phase.state));
  }
  if (verdict.incarnation == 0) return;
  Agent agent;
  agent.version = verdict.version;
  agent.incarnation = verdict.incarnation;
  agent.starts = verdict.starts;
  agent.boot_id = verdict.boot_id;
  agent.address = verdict.address;
  agent.primary = verdict.primary;
  agent.secondary = verdict.secondary;
  agent.last_seen = now;
  if (verdict.phase != PhaseState::up || !verdict.confirmed) {
    const NodeEntry* entry = find(verdict.node);
    agent.last_seen = entry != nullptr && entry->agent ? entry->agent->last_seen : verdict.since;
  }
  set_agent(verdict.node, std::move(agent));
}

NodeView Model::view(const NodeEntry& entry) const {
  return {entry.node(), entry.confirmed, entry.revision, entry.agent};
}

namespace {

/// A node without its agent, for the cache.
struct StableView {
  static constexpr std::string_view kTypeName = "StableNode";
  NodeView view;
  void describe(Visitor& v) { view.describe_stable(v); }
};

}  // namespace

void Model::append_json(std::string& out, const NodeEntry& entry) const {
  if (entry.encoded.empty()) {
    entry.encoded =
        encode(StableView{{entry.node(), entry.confirmed, entry.revision, std::nullopt}});
    entry.encoded.pop_back();  // the closing brace: the agent follows
  }
  out += entry.encoded;
  out += ",\"agent\":";
  if (entry.agent) {
    drover::append_json(out, *entry.agent);
  } else {
    out += "null";
  }
  out.push_back('}');
}

}  // namespace drover::cluster
