#include "daemons/replica/model_replica.hpp"

#include "api/change_view.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using api::SnapshotLine;

/// What a replica holds; the same that GET /snapshot gives.
constexpr std::string_view kWatch =
    "/api/v1/"
    "watch?kind=node,group,profile,network,image,boot-next,daemon,setting,cloud-init&since=";
constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(5);

store::Change change_of(const SnapshotLine& line) {
  store::Change out;
  out.sequence = line.revision;
  out.kind = line.kind;
  out.key = line.key;
  out.after = line.body.text;
  return out;
}

/// A node whose states alone have moved is the same to whoever boots it, and moves ten times in a
/// boot: such changes are not worth the disk.
bool is_worth_keeping(const cluster::Model& model, const cluster::Node* before,
                      const std::string& name) {
  const cluster::NodeEntry* after = model.find(name);
  if (before == nullptr || after == nullptr) return true;
  return before->spec != after->node().spec || before->role != after->node().role ||
         before->enabled != after->node().enabled || before->id != after->node().id;
}

}  // namespace

ModelReplica::ModelReplica(Seams seams, const Log& log, std::string dir, Ask ask)
    : seams_(seams),
      log_(log.with("replica")),
      ask_(std::move(ask)),
      worker_(seams.executor.make_worker("replica")),
      file_(std::make_shared<ReplicaFile>(seams.disk, std::move(dir))),
      model_(std::make_unique<cluster::Model>()),
      since_(seams.executor.wall()),
      pause_(kFirstPause, kLongestPause) {}

ModelReplica::~ModelReplica() = default;

void ModelReplica::start() {
  auto content = file_->load();
  if (!content) {
    log_.error("the copy of the model on disk cannot be read",
               {{"why", content.error().text()}, {"next", "a master gives it anew"}});
    return;
  }
  if (content->sequence == 0) return;
  const Status adopted = adopt(std::move(content->things), content->sequence);
  if (!adopted)
    log_.warning("the copy of the model has bad parts", {{"why", adopted.error().text()}});
  log_.notice(
      "starting from the copy of the model on disk",
      {{"change", std::to_string(sequence_)}, {"nodes", std::to_string(model_->nodes().size())}});
}

void ModelReplica::stop() {
  stopped_ = true;
  retry_.cancel();
  call_.reset();
}

void ModelReplica::way_up(bool there) {
  has_way_ = there;
  if (stopped_) return;
  retry_.cancel();
  call_.reset();
  set_live(false);
  pause_.reset();
  if (there) connect();
}

void ModelReplica::set_live(bool live) {
  if (std::exchange(live_, live) == live) return;
  since_ = seams_.executor.wall();
  log_.info(live ? "following the master's changes" : "no longer following a master",
            {{"change", std::to_string(sequence_)}});
}

void ModelReplica::connect() {
  head_ = {};
  collected_.clear();
  reader_ = {};
  if (is_blank()) {
    fetch_snapshot();
  } else {
    watch();
  }
  if (call_ == nullptr) retry();
}

void ModelReplica::retry() {
  if (stopped_ || !has_way_) return;
  retry_.after(seams_.executor, pause_.next(seams_.random), [this] { connect(); });
}

void ModelReplica::fetch_snapshot() {
  net::HttpStreamEvents events;
  events.on_head = [this](const net::HttpResponse& head) { head_ = head; };
  events.on_chunk = [this](std::string_view chunk) { collected_ += chunk; };
  events.on_end = [this](const Status& end) {
    if (end && head_.status == 200) {
      take_snapshot(collected_);
      collected_ = {};
    }
    on_end(end);
  };
  call_ = ask_("/api/v1/snapshot", std::move(events));
}

void ModelReplica::watch() {
  net::HttpStreamEvents events;
  events.on_head = [this](const net::HttpResponse& head) {
    head_ = head;
    if (head.status != 200) return;
    pause_.reset();
    set_live(true);
  };
  events.on_chunk = [this](std::string_view chunk) {
    constexpr size_t kMaxProblem = size_t{1} << 20;
    if (head_.status != 200) {
      if (collected_.size() < kMaxProblem) collected_ += chunk;
      return;
    }
    Callback<void(const net::SseEvent&)> sink = [this](const net::SseEvent& event) {
      take_event(event);
    };
    if (const Status fed = reader_.feed(chunk, sink); !fed) on_end(fed);
  };
  events.on_end = [this](const Status& end) { on_end(end); };
  call_ = ask_(fmt::format("{}{}", kWatch, sequence_), std::move(events));
}

void ModelReplica::on_end(const Status& end) {
  constexpr int kGone = 410;
  const bool fetched = end && head_.status == 200 && !live_;
  if (!end) {
    log_.info("a request to the master ended", {{"why", end.error().text()}});
  } else if (head_.status == kGone) {
    // The log no longer goes back so far: what the model is now comes whole.
    log_.notice("the master's log begins behind our copy; fetching the model anew", {});
    sequence_ = 0;
  } else if (head_.status != 200) {
    log_.warning("the master refused to give the model",
                 {{"status", std::to_string(head_.status)}, {"answer", collected_.substr(0, 300)}});
  }
  set_live(false);
  // The call may be the one that is telling us this.
  seams_.executor.post([held = std::shared_ptr<net::HttpCall>(std::move(call_))] {});
  if (fetched && !is_blank()) return connect();
  retry();
}

void ModelReplica::take_snapshot(std::string_view text) {
  std::vector<SnapshotLine> things;
  std::optional<uint64_t> sequence;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    auto line = decode_text<SnapshotLine>(text.substr(0, end), Unknown::ignore);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line) {
      log_.error("a line of the master's snapshot cannot be read", {{"why", line.error().text()}});
      return;
    }
    if (line->kind == api::kSnapshotEnd) {
      sequence = line->revision;
    } else {
      things.push_back(*std::move(line));
    }
  }
  if (!sequence) {
    log_.error("the master's snapshot has no end", {});
    return;
  }
  if (const Status adopted = adopt(std::move(things), std::max<uint64_t>(*sequence, 1)); !adopted) {
    log_.error("a thing of the model cannot be read", {{"why", adopted.error().text()}});
  }
  keep_all();
}

Status ModelReplica::adopt(std::vector<SnapshotLine> things, uint64_t sequence) {
  auto model = std::make_unique<cluster::Model>();
  std::vector<store::Change> changes;
  changes.reserve(things.size());
  things_.clear();
  for (SnapshotLine& line : things) {
    changes.push_back(change_of(line));
    things_[{line.kind, line.key}] = {line.revision, std::move(line.body.text)};
  }
  const Status applied = model->apply(changes);
  sequence_ = sequence;
  const std::unique_ptr<cluster::Model> old = std::exchange(model_, std::move(model));
  if (on_news_) on_news_({.all = true});
  return applied;
}

void ModelReplica::take_event(const net::SseEvent& event) {
  uint64_t id = 0;
  const char* last = event.id.data() + event.id.size();
  const auto [end, error] = std::from_chars(event.id.data(), last, id);
  if (error != std::errc{} || end != last) return;
  if (event.name != "change") {
    sequence_ = std::max(sequence_, id);
    return;
  }
  const auto view = decode_text<api::ChangeView>(event.data, Unknown::ignore);
  if (!view) {
    log_.error("a change cannot be read", {{"why", view.error().text()}});
    return;
  }
  store::Change change;
  change.sequence = view->sequence;
  change.kind = view->kind;
  change.key = view->key;
  const bool erased = view->operation == api::ChangeOperation::erase;
  change.operation = erased ? store::Operation::erase : store::Operation::put;
  if (!erased) change.after = view->after.text;
  std::shared_ptr<const cluster::StoredNode> before;
  if (change.kind == cluster::kNodeKind) {
    if (const auto* entry = model_->find(change.key)) before = entry->stored;
  }
  if (const Status applied = model_->apply(std::span(&change, 1)); !applied) {
    log_.error("a change makes no sense", {{"why", applied.error().text()}});
  }
  sequence_ = view->sequence;
  if (erased) {
    things_.erase({change.kind, change.key});
  } else {
    things_[{change.kind, change.key}] = {change.sequence, *change.after};
  }
  const bool keeps = change.kind != cluster::kNodeKind ||
                     is_worth_keeping(*model_, before ? &before->node : nullptr, change.key);
  if (keeps) {
    keep({change.kind, change.key, change.sequence, {erased ? "null" : *change.after}});
  }
  if (on_news_) on_news_({.changes = std::span(&change, 1)});
}

// One write at a time: what changes meanwhile goes with the next one.
void ModelReplica::keep(SnapshotLine change) {
  unkept_.push_back(std::move(change));
  if (!writing_) write_out();
}

void ModelReplica::write_out() {
  writing_ = true;
  auto status = std::make_shared<Status>();
  auto is_long = std::make_shared<bool>(false);
  worker_->run(
      [file = file_, changes = std::exchange(unkept_, {}), status, is_long] {
        *status = file->append(changes);
        *is_long = file->is_long();
      },
      [this, alive = std::weak_ptr<bool>(alive_), status, is_long] {
        if (alive.expired()) return;
        writing_ = false;
        kept(*status);
        if (!*status || *is_long) return keep_all();
        if (!unkept_.empty()) write_out();
      });
}

void ModelReplica::keep_all() {
  writing_ = true;
  unkept_.clear();  // they are in it
  auto content = std::make_shared<ReplicaFile::Content>();
  content->sequence = sequence_;
  for (const auto& [key, thing] : things_) {
    content->things.push_back({key.first, key.second, thing.revision, {thing.body}});
  }
  auto status = std::make_shared<Status>();
  worker_->run([file = file_, content, status] { *status = file->replace(*content); },
               [this, alive = std::weak_ptr<bool>(alive_), status] {
                 if (alive.expired()) return;
                 writing_ = false;
                 kept(*status);
                 if (!unkept_.empty()) write_out();
               });
}

void ModelReplica::kept(const Status& status) {
  if (std::exchange(disk_failed_, !status) == !status) return;
  if (status) {
    log_.notice("the copy of the model is safe on disk again", {});
  } else {
    log_.error("the copy of the model cannot be kept on disk",
               {{"why", status.error().text()},
                {"next", "until it can, a restart without a master boots what was known before"}});
  }
}

}  // namespace drover::daemons
