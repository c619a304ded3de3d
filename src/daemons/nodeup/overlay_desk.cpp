// Looking at all nodes takes turns with everything else that the master does.
#include "daemons/nodeup/overlay_desk.hpp"

#include "auth/keys.hpp"
#include "base/noderange.hpp"
#include "daemons/nodeup/node_order.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

/// Nodes that are looked at in one turn of the loop, about 10 ms.
constexpr size_t kLooks = 200;
constexpr size_t kMostCalls = 16;
constexpr Duration kBudget = std::chrono::seconds(60);
constexpr Duration kRetry = std::chrono::seconds(5);

std::string payload_of(std::vector<cluster::OrderedFile> files) {
  cluster::NodeOrder order;
  order.files = std::move(files);
  return encode(order);
}

}  // namespace

void OverlayDesk::Applied::describe(Visitor& v) {
  v.field("boot_id", boot_id, "Of the boot in which it took them.");
  v.field("digest", digest, "Of the order; empty: it has not all of it.");
  v.field("files", files, "How many.");
  v.field("at", at, "When.");
  v.field("why", why, "What failed last.");
  v.field("reached", reached, "Whether the node was reached then.");
}

Status OverlayDesk::restore(const std::vector<store::Object>& objects) {
  for (const store::Object& object : objects) {
    DROVER_TRY(applied_[object.key], decode_text<Applied>(object.body, Unknown::ignore));
  }
  return {};
}

void OverlayDesk::follow(std::span<const store::Change> changes) {
  bool all = false;
  for (const store::Change& change : changes) {
    if (change.kind == cluster::kOverlayKind) {
      all = true;
    } else if (!parts_.model.overlays().empty() || !applied_.empty()) {
      all = all || change.kind == cluster::kGroupKind || change.kind == cluster::kProfileKind;
      if (change.kind == cluster::kNodeKind) dirty_.insert(change.key);
    }
  }
  if (all) {
    for (const auto& [name, entry] : parts_.model.nodes()) dirty_.insert(name);
  }
  if (!dirty_.empty()) look_soon();
}

void OverlayDesk::heard(const std::string& node) {
  if (parts_.model.overlays().empty() && !applied_.contains(node)) return;
  dirty_.insert(node);
  look_soon();
}

void OverlayDesk::look_soon() {
  if (std::exchange(looking_, true)) return;
  parts_.executor.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) look();
  });
}

void OverlayDesk::look() {
  looking_ = false;
  for (size_t i = 0; i < kLooks && !dirty_.empty(); ++i) {
    look_at(dirty_.extract(dirty_.begin()).value());
  }
  if (!dirty_.empty()) return look_soon();
  send_some();
}

void OverlayDesk::look_at(const std::string& node) {
  const cluster::NodeEntry* entry = parts_.model.find(node);
  if (entry == nullptr) {
    if (applied_.erase(node) > 0) save(node);
    return;
  }
  const auto phase = entry->node().phase.state;
  const bool runs = phase == cluster::PhaseState::up || phase == cluster::PhaseState::error;
  const bool linked = entry->agent && !entry->agent->primary.empty();
  if (!runs || !linked || under_way_.contains(node)) return;
  const auto held = applied_.find(node);
  auto files = files_for(parts_.model, entry->node());
  if (!files) {
    Applied& applied = applied_[node];
    if (applied.why == files.error().text()) return;
    applied.why = files.error().text();
    applied.digest.clear();
    return save(node);
  }
  const bool same_boot = held != applied_.end() && held->second.boot_id == entry->agent->boot_id;
  if (files->empty() && (held == applied_.end() || !same_boot)) {
    if (held != applied_.end()) {
      applied_.erase(held);
      save(node);
    }
    return;
  }
  std::string payload = payload_of(*std::move(files));
  if (same_boot && held->second.digest == auth::sha256_hex(payload)) return;
  ready_[std::move(payload)].insert(node);
}

void OverlayDesk::send_some() {
  while (calls_ < kMostCalls && !ready_.empty()) {
    auto next = ready_.extract(ready_.begin());
    send(std::move(next.key()), std::move(next.mapped()));
  }
}

void OverlayDesk::send(std::string payload, std::set<std::string> nodes) {
  const std::string digest = auth::sha256_hex(payload);
  const auto order = cluster::parse_node_order(payload);
  const size_t files = order ? order->files.size() : 0;
  tree::CallSpec spec;
  spec.id = "overlay-" + parts_.random.hex(12);
  spec.method = std::string(cluster::kOverlayCall);
  spec.payload = std::move(payload);
  spec.budget = kBudget;
  spec.targets.assign(nodes.begin(), nodes.end());
  const Status started = parts_.calls.start(
      std::move(spec), {},
      [this, alive = std::weak_ptr<bool>(alive_), digest, files](const tree::CallReport& report) {
        if (!alive.expired()) answered(digest, files, report);
      });
  if (started) {
    ++calls_;
    under_way_.merge(nodes);
    return;
  }
  for (const std::string& node : nodes) {
    applied_[node].why = started.error().text();
    failed_.insert(node);
  }
  retry_later();
}

void OverlayDesk::answered(const std::string& digest, size_t files,
                           const tree::CallReport& report) {
  --calls_;
  for (const tree::CallGroup& group : report.groups) {
    const auto result = group.outcome == tree::Outcome::done
                            ? decode_text<cluster::FilesResult>(group.result, Unknown::ignore)
                            : tl::unexpected<Error>(group.error);
    const auto names = expand_names(group.nodes);
    if (!names) continue;
    for (const std::string& node : *names) {
      under_way_.erase(node);
      const cluster::NodeEntry* entry = parts_.model.find(node);
      if (entry == nullptr || !entry->agent) continue;
      Applied& applied = applied_[node];
      applied.boot_id = entry->agent->boot_id;
      applied.reached = group.outcome == tree::Outcome::done;
      const bool good = result && result->problems.empty();
      applied.digest = good ? digest : "";
      applied.why = good ? "" : result ? result->problems.front() : result.error().text();
      if (good) {
        applied.files = static_cast<uint32_t>(files);
        applied.at = parts_.executor.wall();
        dirty_.insert(node);  // it may have changed again meanwhile
      } else {
        failed_.insert(node);
        parts_.log.warning("a node has not all of its files",
                           {{"node", node}, {"why", applied.why}});
      }
      save(node);
    }
  }
  if (!failed_.empty()) retry_later();
  look_soon();
}

void OverlayDesk::retry_later() {
  if (std::exchange(retrying_, true)) return;
  retry_.after(parts_.executor, kRetry, [this] {
    retrying_ = false;
    dirty_.merge(std::exchange(failed_, {}));
    look_soon();
  });
}

void OverlayDesk::save(const std::string& node) {
  const auto held = applied_.find(node);
  const std::string body = held == applied_.end() ? std::string() : encode(held->second);
  parts_.store.write(parts_.author,
                     [node, body](store::Transaction& tx) -> Status {
                       if (!body.empty()) return tx.put_quiet(kAppliedOverlayKind, node, body);
                       DROVER_CHECK_OK(tx.erase_quiet(kAppliedOverlayKind, node));
                       return {};
                     },
                     {});
}

api::OverlayState OverlayDesk::state(const std::string& node) const {
  api::OverlayState out;
  out.node = node;
  out.state = "none";
  const cluster::NodeEntry* entry = parts_.model.find(node);
  const auto held = applied_.find(node);
  const auto files = entry == nullptr ? Result<std::vector<cluster::OrderedFile>>()
                                      : files_for(parts_.model, entry->node());
  if (held != applied_.end()) {
    out.applied = held->second.at;
    out.why = held->second.why;
  }
  if (!files) {
    out.state = "failed";
    out.why = files.error().text();
    return out;
  }
  out.files = static_cast<uint32_t>(files->size());
  if (files->empty() && held == applied_.end()) return out;
  const bool current = held != applied_.end() && entry->agent &&
                       held->second.boot_id == entry->agent->boot_id &&
                       held->second.digest == auth::sha256_hex(payload_of(*files));
  const bool failed = held != applied_.end() && !held->second.why.empty();
  out.state = current  ? (files->empty() ? "none" : "current")
              : failed ? (held->second.reached ? "failed" : "unreached")
                       : "pending";
  return out;
}

}  // namespace drover::daemons
