#include "daemons/name_board.hpp"

namespace drover::daemons {
namespace {

constexpr Duration kTryAgain = std::chrono::seconds(30);

}  // namespace

NameBoard::NameBoard(Executor& executor, const Log& log, std::string domain, Publish publish)
    : executor_(executor),
      log_(log.with("names")),
      domain_(std::move(domain)),
      publish_(std::make_shared<Publish>(std::move(publish))),
      worker_(executor.make_worker("names")) {}

void NameBoard::use(const cluster::Model& model) {
  model_ = &model;
  all_dirty_ = true;
  written_ = false;
  look();
}

void NameBoard::follow(std::span<const store::Change> changes) {
  for (const store::Change& change : changes) {
    if (change.kind == cluster::kNodeKind) {
      if (!all_dirty_) dirty_.push_back(change.key);
    } else if (change.kind == cluster::kNetworkKind || change.kind == cluster::kGroupKind ||
               change.kind == cluster::kProfileKind) {
      all_dirty_ = true;  // domains, and what formulas stand on
    }
  }
  if (all_dirty_ || !dirty_.empty()) later(kGather);
}

void NameBoard::later(Duration delay) {
  if (std::exchange(waiting_, true)) return;
  gather_.after(executor_, delay, [this] {
    waiting_ = false;
    look();
  });
}

bool NameBoard::all_as_before(const boot::NetworkIndex& networks) {
  decltype(names_) fresh;
  bool same = true;
  for (const auto& [name, entry] : model_->nodes()) {
    auto hosts = boot::hosts_of(*model_, networks, entry.node(), domain_);
    const auto known = names_.find(name);
    same = same && known != names_.end() && known->second.hosts == hosts;
    fresh[name] = {entry.stored, std::move(hosts)};
  }
  same = same && fresh.size() == names_.size();
  names_ = std::move(fresh);
  return same;
}

bool NameBoard::as_before(const boot::NetworkIndex& networks, const std::string& node) {
  const cluster::NodeEntry* entry = model_->find(node);
  if (entry == nullptr) return names_.erase(node) == 0;
  Named& kept = names_[node];
  const auto before = std::exchange(kept.of, entry->stored);
  // What changes most of nodes are their states, which no name depends on.
  const bool same_spec = before != nullptr && before->node.id == kept.of->node.id &&
                         before->node.spec == kept.of->node.spec;
  if (same_spec) return true;
  auto hosts = boot::hosts_of(*model_, networks, entry->node(), domain_);
  const bool same = before != nullptr && kept.hosts == hosts;
  kept.hosts = std::move(hosts);
  return same;
}

// Only another outcome is written.
void NameBoard::look() {
  const boot::NetworkIndex networks(model_->networks());
  if (all_dirty_) {
    written_ = all_as_before(networks) && written_;
  } else {
    for (const std::string& name : dirty_) written_ = as_before(networks, name) && written_;
  }
  all_dirty_ = false;
  dirty_.clear();
  if (!written_ && !writing_) write();
}

void NameBoard::write() {
  nss::NameFileWriter writer;
  for (const auto& [name, named] : names_) {
    for (const nss::NamedHost& host : named.hosts) writer.add(host);
  }
  written_ = true;
  writing_ = true;
  auto bytes = std::make_shared<std::string>(writer.finish(model_->sequence()));
  auto outcome = std::make_shared<Status>();
  worker_->run([publish = publish_, bytes, outcome] { *outcome = (*publish)(*bytes); },
               [this, outcome] {
                 writing_ = false;
                 if (!*outcome) {
                   written_ = false;
                   if (!std::exchange(failed_, true)) {
                     log_.warning("programs of this host are not told the nodes' names",
                                  {{"why", outcome->error().text()}});
                   }
                   later(kTryAgain);
                   return;
                 }
                 if (std::exchange(failed_, false)) log_.info("the nodes' names are told again");
                 if (!written_) write();
               });
}

}  // namespace drover::daemons
