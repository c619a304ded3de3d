#include "api/watch_hub.hpp"

#include "api/change_view.hpp"
#include "api/problem.hpp"
#include "api/whole_number.hpp"
#include "auth/bearer_record.hpp"
#include "auth/enrolment_records.hpp"
#include "auth/grants.hpp"
#include "auth/issuer_record.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api {

struct WatchHub::Watcher {
  enum class Mode : uint8_t {
    live,      ///< has everything up to the head; the feed writes
    reading,   ///< a page of the log is being read
    draining,  ///< has too much unsent; reads on once that is taken
  };
  std::unique_ptr<Answer> answer;
  auth::Principal who;
  uint64_t position = 0;
  std::vector<std::string> kinds;  ///< empty: all
  std::string key;
  std::string range;                     ///< empty: all
  std::shared_ptr<const NodeSet> nodes;  ///< of the range at first
  Mode mode = Mode::live;
  MonoTime draining_since{};
};

namespace {

/// What decides who may watch.
constexpr std::array<std::string_view, 4> kAccessKinds{auth::kBearerKind, auth::kGrantKind,
                                                       auth::kIssuerKind, auth::kCredentialKind};

std::vector<std::string> kinds_of(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) out.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

std::string change_event(const store::Change& change) {
  std::string out = fmt::format("id: {}\nevent: change\ndata: ", change.sequence);
  append_json(out, view_of(change));
  out += "\n\n";
  return out;
}

std::string bookmark_event(uint64_t position) {
  return fmt::format("id: {0}\nevent: bookmark\ndata: {{\"sequence\":{0}}}\n\n", position);
}

std::string problem_event(const Error& error) {
  return fmt::format("event: problem\ndata: {}\n\n", encode(problem_of(error)));
}

/// Where to start: `since`, else the standard header of a client that reconnects, else nothing.
Result<std::optional<uint64_t>> start_of(const Request& request) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (request.query("since")) {
    DROVER_TRY(const uint64_t since, request.query_number("since", 0, 0, kMost));
    return std::optional(since);
  }
  const auto last = request.http().headers.get("Last-Event-ID");
  if (!last) return std::optional<uint64_t>();
  const auto since = whole_number<uint64_t>(*last);
  if (!since) {
    return fail(Code::invalid_argument, "header Last-Event-ID: expected a sequence number");
  }
  return since;
}

}  // namespace

WatchHub::WatchHub(Executor& executor, store::Store& store, const cluster::Model& model,
                   WatchSettings settings)
    : executor_(executor), store_(store), model_(model), settings_(settings) {
  subscription_ =
      store_.subscribe([this](std::span<const store::Change> changes) { feed(changes); });
}

WatchHub::~WatchHub() {
  *alive_ = false;
}

void WatchHub::watch(const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auto since, start_of(*request));
  if (watchers_.size() >= settings_.most_watchers) {
    return request->fail({Code::exhausted,
                          fmt::format("{} watchers are open; no more are taken", watchers_.size()),
                          "", "close one, or watch through one client"});
  }
  const std::vector<std::string> kinds = kinds_of(request->query("kind").value_or(""));
  if (request->query("key") && kinds.size() != 1) {
    return request->fail({Code::invalid_argument, "query parameter key needs one kind", "", ""});
  }
  auto watcher = std::make_shared<Watcher>();
  watcher->who = request->principal();
  watcher->kinds = kinds;
  watcher->key = request->query("key").value_or("");
  watcher->range = request->query("nodes").value_or("");
  if (!watcher->range.empty()) {
    DROVER_OR_FAIL(request, watcher->nodes, nodes_of(watcher->range));
  }
  if (!since) return open(request, std::move(watcher), store_.head(), nullptr);
  watcher->position = *since;
  store_.changes(query_of(*watcher),
                 [this, alive = alive_, request, watcher](const Result<store::ChangePage>& page) {
                   if (!*alive) return;
                   if (!page) return request->fail(page.error());
                   open(request, watcher, watcher->position, &*page);
                 });
}

/// What the log still has for a watcher.
store::ChangeQuery WatchHub::query_of(const Watcher& watcher) {
  store::ChangeQuery query;
  query.since = watcher.position;
  query.limit = settings_.page;
  if (watcher.kinds.size() == 1) query.kind = watcher.kinds.front();
  query.key = watcher.key;
  if (watcher.range.empty() && watcher.kinds.size() < 2) return query;
  auto filter = std::make_shared<ChangeConditions>();
  filter->kinds = watcher.kinds;
  if (!watcher.range.empty()) {
    // A range that names nothing any more still stands for what it named last.
    if (const auto nodes = nodes_of(watcher.range)) filter->nodes = *nodes;
  }
  query.filter = std::move(filter);
  return query;
}

void WatchHub::open(const RequestPtr& request, WatcherPtr watcher, uint64_t position,
                    const store::ChangePage* first) {
  watcher->position = position;
  watcher->answer = request->take_stream();
  if (watcher->answer == nullptr) return;
  if (watcher->nodes) {  // the range may have been forgotten while the log was read
    ranges_.try_emplace(watcher->range, Range{watcher->nodes, watcher->nodes, {}, true});
  }
  const uint64_t id = next_id_++;
  watchers_.emplace(id, watcher);
  if (watchers_.size() == 1) ticker_.after(executor_, settings_.bookmark, [this] { tick(); });
  watcher->answer->on_gone([this, alive = alive_, id] {
    if (*alive) watchers_.erase(id);
  });
  watcher->answer->on_drained([this, alive = alive_, id] {
    if (!*alive) return;
    const auto it = watchers_.find(id);
    if (it != watchers_.end() && it->second->mode == Watcher::Mode::draining) read_on(id);
  });
  watcher->answer->begin(200,
                         {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}});
  if (first != nullptr) {
    watcher->mode = Watcher::Mode::reading;
    take_page(id, *first);
  } else {
    watcher->answer->write(bookmark_event(position));
  }
}

Result<std::shared_ptr<const NodeSet>> WatchHub::nodes_of(const std::string& range) {
  const auto it = ranges_.find(range);
  if (it != ranges_.end()) return it->second.nodes;
  DROVER_TRY(auto nodes, NodeSet::evaluate(range, model_));
  ranges_[range] = {nodes, nodes, executor_.now(), false};
  return nodes;
}

/// Ranges are looked up again only when what they may depend on has changed.
void WatchHub::refresh_ranges(std::span<const store::Change> changes) {
  if (ranges_.empty()) return;
  bool touched = false;
  bool membership = false;
  for (const store::Change& change : changes) {
    const bool of_node = change.kind == cluster::kNodeKind;
    const bool of_group = change.kind == "group" || change.kind == "profile";
    touched = touched || of_node || of_group;
    membership = membership || of_group || (of_node && (!change.before || !change.after));
  }
  for (auto& [range, entry] : ranges_) {
    entry.before = entry.nodes;
    entry.stale = entry.stale || touched;
    const bool due = membership || executor_.now() - entry.evaluated >= settings_.refresh;
    if (!entry.stale || !due) continue;
    entry.stale = false;
    entry.evaluated = executor_.now();
    // A name that is gone makes the range wrong; what it named stays watched.
    if (auto nodes = NodeSet::evaluate(range, model_)) entry.nodes = *std::move(nodes);
  }
}

void WatchHub::forget_ranges() {
  std::erase_if(ranges_, [this](const auto& range) {
    return std::ranges::none_of(
        watchers_, [&](const auto& watcher) { return watcher.second->range == range.first; });
  });
}

bool WatchHub::wants(const Watcher& watcher, const store::Change& change) const {
  if (!watcher.kinds.empty() &&
      std::ranges::find(watcher.kinds, change.kind) == watcher.kinds.end()) {
    return false;
  }
  if (!watcher.key.empty() && change.key != watcher.key) return false;
  if (watcher.range.empty()) return true;
  const auto range = ranges_.find(watcher.range);
  if (range == ranges_.end()) return false;
  const Range& entry = range->second;
  return entry.nodes->has(change) || entry.before->has(change);
}

void WatchHub::recheck() {
  if (!still_) return;
  std::vector<std::pair<uint64_t, Error>> refused;
  for (const auto& [id, watcher] : watchers_) {
    if (const Status good = still_(watcher->who); !good) refused.emplace_back(id, good.error());
  }
  for (const auto& [id, why] : refused) cut(id, why);
}

void WatchHub::feed(std::span<const store::Change> changes) {
  const bool of_access = std::ranges::any_of(changes, [](const store::Change& change) {
    return std::ranges::find(kAccessKinds, change.kind) != kAccessKinds.end();
  });
  if (of_access) recheck();
  refresh_ranges(changes);
  std::map<uint64_t, std::string> encoded;  // once for all watchers
  for (const auto& [id, watcher] : watchers_) {
    if (watcher->mode != Watcher::Mode::live) continue;
    std::string out;
    for (const store::Change& change : changes) {
      if (change.sequence <= watcher->position) continue;
      watcher->position = change.sequence;
      if (!wants(*watcher, change)) continue;
      std::string& event = encoded[change.sequence];
      if (event.empty()) event = change_event(change);
      out += event;
    }
    if (out.empty()) continue;
    watcher->answer->write(out);
    after_write(*watcher);
  }
}

/// A watcher with too much unsent is fed from the log later.
void WatchHub::after_write(Watcher& watcher) {
  if (watcher.answer->unsent() <= settings_.high_water) return;
  watcher.mode = Watcher::Mode::draining;
  watcher.draining_since = executor_.now();
}

void WatchHub::read_on(uint64_t id) {
  Watcher& watcher = *watchers_.at(id);
  watcher.mode = Watcher::Mode::reading;
  store_.changes(query_of(watcher),
                 [this, alive = alive_, id](const Result<store::ChangePage>& page) {
                   if (*alive) take_page(id, page);
                 });
}

void WatchHub::take_page(uint64_t id, const Result<store::ChangePage>& page) {
  const auto it = watchers_.find(id);
  if (it == watchers_.end()) return;
  if (!page) return cut(id, page.error());
  Watcher& watcher = *it->second;
  std::string out;
  for (const store::Change& change : page->changes) out += change_event(change);
  watcher.position = page->scanned_to;
  if (out.empty()) out = bookmark_event(watcher.position);
  watcher.answer->write(out);
  watcher.mode = Watcher::Mode::live;
  after_write(watcher);
  if (watcher.mode == Watcher::Mode::live && watcher.position < store_.head()) read_on(id);
}

void WatchHub::tick() {
  recheck();
  forget_ranges();
  std::vector<uint64_t> stalled;
  for (const auto& [id, watcher] : watchers_) {
    if (watcher->mode == Watcher::Mode::live) {
      watcher->answer->write(bookmark_event(watcher->position));
      after_write(*watcher);
    } else if (watcher->mode == Watcher::Mode::draining &&
               executor_.now() - watcher->draining_since >= settings_.stall_limit) {
      stalled.push_back(id);
    }
  }
  for (const uint64_t id : stalled) {
    cut(id,
        {Code::exhausted,
         fmt::format("this watcher took nothing for {} s and is cut; it had everything up to "
                     "{}",
                     settings_.stall_limit / std::chrono::seconds(1), watchers_.at(id)->position),
         "", "watch again with since= the last id that was read"});
  }
  if (!watchers_.empty()) ticker_.after(executor_, settings_.bookmark, [this] { tick(); });
}

void WatchHub::cut(uint64_t id, const Error& why) {
  const auto it = watchers_.find(id);
  if (it == watchers_.end()) return;
  const WatcherPtr watcher = it->second;
  watchers_.erase(it);
  watcher->answer->write(problem_event(why));
  watcher->answer->end();
}

}  // namespace drover::api
