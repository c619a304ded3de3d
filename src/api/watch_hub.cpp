#include "api/watch_hub.hpp"

#include "api/change_view.hpp"
#include "api/problem.hpp"
#include "api/whole_number.hpp"

#include <fmt/format.h>

namespace drover::api {

struct WatchHub::Watcher {
  enum class Mode : uint8_t {
    live,      ///< has everything up to the head; the feed writes
    reading,   ///< a page of the log is being read
    draining,  ///< has too much unsent; reads on once that is taken
  };
  std::unique_ptr<Answer> answer;
  uint64_t position = 0;
  std::string kind;
  std::string key;
  Mode mode = Mode::live;
  MonoTime draining_since{};

  [[nodiscard]] bool wants(const store::Change& change) const {
    return (kind.empty() || change.kind == kind) && (key.empty() || change.key == key);
  }
};

namespace {

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

WatchHub::WatchHub(Executor& executor, store::Store& store, WatchSettings settings)
    : executor_(executor), store_(store), settings_(settings) {
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
  if (request->query("key") && !request->query("kind")) {
    return request->fail({Code::invalid_argument, "query parameter key needs kind", "", ""});
  }
  if (!since) return open(request, store_.head(), nullptr);
  store::ChangeQuery query;
  query.since = since;
  query.limit = settings_.page;
  query.kind = request->query("kind").value_or("");
  query.key = request->query("key").value_or("");
  store_.changes(std::move(query),
                 [this, alive = alive_, request](const Result<store::ChangePage>& page) {
                   if (!*alive) return;
                   if (!page) return request->fail(page.error());
                   open(request, 0, &*page);
                 });
}

void WatchHub::open(const RequestPtr& request, uint64_t position, const store::ChangePage* first) {
  const auto watcher = std::make_shared<Watcher>();
  watcher->kind = request->query("kind").value_or("");
  watcher->key = request->query("key").value_or("");
  watcher->position = position;
  watcher->answer = request->take_stream();
  if (watcher->answer == nullptr) return;
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

void WatchHub::feed(std::span<const store::Change> changes) {
  std::map<uint64_t, std::string> encoded;  // once for all watchers
  for (const auto& [id, watcher] : watchers_) {
    if (watcher->mode != Watcher::Mode::live) continue;
    std::string out;
    for (const store::Change& change : changes) {
      if (change.sequence <= watcher->position) continue;
      watcher->position = change.sequence;
      if (!watcher->wants(change)) continue;
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
  store::ChangeQuery query;
  query.since = watcher.position;
  query.limit = settings_.page;
  query.kind = watcher.kind;
  query.key = watcher.key;
  store_.changes(std::move(query),
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
