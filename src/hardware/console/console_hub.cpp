#include "hardware/console/console_hub.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {

std::span<const std::string_view> enum_names(ConsoleState) {
  static constexpr std::array<std::string_view, 4> kNames{"idle", "connecting", "open", "waiting"};
  return kNames;
}

struct ConsoleHub::Viewer {
  ViewerId id = 0;
  ConsoleViewer about;
  ConsoleSink* sink = nullptr;
  uint64_t next = 0;  ///< the byte of the console that it is to get next
  bool told = false;  ///< it has heard how things stand
};

struct ConsoleHub::Console {
  explicit Console(std::string name, const ConsoleLimits& limits)
      : node(std::move(name)),
        backoff(limits.first_retry, limits.longest_retry),
        budget(static_cast<int64_t>(limits.burst_bytes)) {}

  /// Number of the oldest byte that is kept.
  [[nodiscard]] uint64_t oldest() const { return status.bytes - kept.size(); }

  std::string node;
  ConsoleStatus status;
  std::string kept;  ///< the newest bytes
  std::vector<std::unique_ptr<Viewer>> viewers;
  std::unique_ptr<ConsoleLine> line;
  Backoff backoff;
  Timer timer;  ///< until it is tried again, or hung up
  bool queued = false;
  bool dialling = false;
  std::optional<MonoTime> tried;  ///< when it was opened last
  MonoTime due{};                 ///< waiting: when it is tried again
  bool refused = false;           ///< it did not take the password
  bool feeding = false;
  int64_t budget;  ///< bytes that it may say at once
  MonoTime counted{};
  Timer quiet;  ///< until it may say more
};

ConsoleHub::ConsoleHub(Executor& executor, Random& random, ConsoleDialler& dialler,
                       ConsoleLimits limits, ConsoleHubEvents events)
    : executor_(executor),
      random_(random),
      dialler_(dialler),
      limits_(limits),
      events_(std::move(events)) {}

ConsoleHub::~ConsoleHub() = default;

ConsoleHub::Console& ConsoleHub::console(const std::string& node) {
  auto& place = consoles_[node];
  if (place == nullptr) {
    place = std::make_unique<Console>(node, limits_);
    place->status.since = executor_.wall();
  }
  return *place;
}

ConsoleHub::Console* ConsoleHub::find(ViewerId id, Viewer** viewer) const {
  const auto where = where_.find(id);
  if (where == where_.end()) return nullptr;
  Console& found = *consoles_.find(where->second)->second;
  if (viewer != nullptr) {
    *viewer = std::ranges::find(found.viewers, id, [](const auto& one) { return one->id; })->get();
  }
  return &found;
}

bool ConsoleHub::needed(const Console& console) {
  return console.status.held || !console.viewers.empty();
}

void ConsoleHub::hold(const std::set<std::string>& nodes) {
  for (auto& [name, console] : consoles_) {
    if (!console->status.held || nodes.contains(name)) continue;
    console->status.held = false;
    settle(*console);
  }
  for (const std::string& name : nodes) {
    Console& one = console(name);
    if (std::exchange(one.status.held, true)) continue;
    want(one);
  }
}

void ConsoleHub::redial(const std::string& node) {
  const auto found = consoles_.find(node);
  if (found == consoles_.end()) return;
  Console& console = *found->second;
  hang_up(console);
  console.backoff.reset();
  console.tried.reset();
  console.refused = false;
  move(console, ConsoleState::idle);
  if (needed(console)) want(console);
  pump();
}

void ConsoleHub::hurry(const std::string& node) {
  const auto found = consoles_.find(node);
  if (found == consoles_.end()) return;
  Console& console = *found->second;
  const bool waits = console.status.state == ConsoleState::waiting && !console.refused &&
                     console.line == nullptr && !console.queued;
  if (!waits) return;
  console.backoff.reset();
  const Duration least = limits_.first_retry / 2;
  try_at(console, std::max(executor_.now(), *console.tried + least));
}

void ConsoleHub::remove(const std::string& node) {
  const auto found = consoles_.find(node);
  if (found == consoles_.end()) return;
  hang_up(*found->second);
  const std::unique_ptr<Console> gone = std::move(found->second);
  consoles_.erase(found);
  for (const auto& viewer : gone->viewers) {
    where_.erase(viewer->id);
    if (events_.on_viewer) events_.on_viewer(node, viewer->about, false);
    viewer->sink->on_end({Code::not_found, fmt::format("the node {} was removed", node), {}, {}});
  }
  pump();
}

Result<ConsoleHub::ViewerId> ConsoleHub::attach(const std::string& node, Coming coming,
                                                ConsoleSink& sink) {
  Console& to = console(node);
  if (to.viewers.size() >= limits_.viewers) {
    return fail(Code::exhausted,
                fmt::format("{} people are at the console of {} already", limits_.viewers, node));
  }
  auto viewer = std::make_unique<Viewer>();
  viewer->id = ++last_viewer_;
  viewer->about = std::move(coming.viewer);
  viewer->about.since = executor_.wall();
  viewer->sink = &sink;
  // A number from before this manager started means nothing to it.
  const bool known = coming.seen && *coming.seen <= to.status.bytes;
  viewer->next = known ? *coming.seen : to.oldest();
  where_[viewer->id] = node;
  to.viewers.push_back(std::move(viewer));
  const Viewer& added = *to.viewers.back();
  if (events_.on_viewer) events_.on_viewer(node, added.about, true);
  tell_viewers(to);
  want(to);
  feed_soon(to);
  return added.id;
}

void ConsoleHub::detach(ViewerId id) {
  Viewer* viewer = nullptr;
  Console* const console = find(id, &viewer);
  if (console == nullptr) return;
  const ConsoleViewer about = viewer->about;
  where_.erase(id);
  std::erase_if(console->viewers, [id](const auto& one) { return one->id == id; });
  if (events_.on_viewer) events_.on_viewer(console->node, about, false);
  tell_viewers(*console);
  settle(*console);
}

void ConsoleHub::drained(ViewerId id) {
  if (Console* const console = find(id); console != nullptr) feed_soon(*console);
}

const ConsoleViewer* ConsoleHub::viewer(ViewerId id) const {
  Viewer* viewer = nullptr;
  return find(id, &viewer) == nullptr ? nullptr : &viewer->about;
}

std::vector<ConsoleViewer> ConsoleHub::viewers(const std::string& node) const {
  std::vector<ConsoleViewer> out;
  const auto found = consoles_.find(node);
  if (found == consoles_.end()) return out;
  for (const auto& viewer : found->second->viewers) out.push_back(viewer->about);
  return out;
}

std::optional<ConsoleStatus> ConsoleHub::status(const std::string& node) const {
  const auto found = consoles_.find(node);
  if (found == consoles_.end()) return {};
  return found->second->status;
}

std::vector<std::string> ConsoleHub::nodes() const {
  std::vector<std::string> out;
  out.reserve(consoles_.size());
  for (const auto& [name, console] : consoles_) out.push_back(name);
  return out;
}

// --- the connection -----------------------------------------------------------------------------

/// Has it opened, unless it is or is about to be.
void ConsoleHub::want(Console& console) {
  if (console.status.state == ConsoleState::open) {
    console.timer.cancel();  // that would have hung it up
    return;
  }
  if (console.line != nullptr || console.queued) return;
  const Duration least = console.refused ? limits_.longest_retry : limits_.least_retry;
  const MonoTime now = executor_.now();
  const MonoTime earliest = console.tried ? std::max(now, *console.tried + least) : now;
  const bool waits = console.status.state == ConsoleState::waiting;
  if (waits && console.due <= earliest) return;
  if (!waits) move(console, ConsoleState::connecting);
  try_at(console, earliest);
}

void ConsoleHub::try_at(Console& console, MonoTime when) {
  console.due = when;
  console.timer.after(executor_, when - executor_.now(), [this, &console] {
    console.queued = true;
    queue_.push_back(console.node);
    pump();
  });
}

void ConsoleHub::pump() {
  while (dialling_ < limits_.dialling && !queue_.empty()) {
    const auto found = consoles_.find(queue_.front());
    queue_.pop_front();
    if (found == consoles_.end() || !std::exchange(found->second->queued, false)) continue;
    if (found->second->line == nullptr && needed(*found->second)) dial(*found->second);
  }
}

void ConsoleHub::dial(Console& console) {
  console.dialling = true;
  ++dialling_;
  console.tried = executor_.now();
  ConsoleLineEvents events;
  events.on_open = [this, &console](const ConsoleWay& way) { opened(console, way); };
  events.on_bytes = [this, &console](std::string_view bytes) { took(console, bytes); };
  events.on_closed = [this, &console](const Error& why) { closed(console, why); };
  console.line = dialler_.dial(console.node, std::move(events));
}

void ConsoleHub::opened(Console& console, const ConsoleWay& way) {
  if (std::exchange(console.dialling, false)) --dialling_;
  console.status.way = way;
  if (events_.on_note) {
    events_.on_note(console.node, fmt::format("open by {} to {}", way.kind, way.to));
  }
  move(console, ConsoleState::open);
  settle(console);
  pump();
}

/// The line is over; its back-off begins.
void ConsoleHub::closed(Console& console, const Error& why) {
  // A console that was open for a while starts over; one that opens and closes at once does not.
  const bool lasted = console.status.state == ConsoleState::open &&
                      executor_.now() - *console.tried > limits_.longest_retry;
  if (lasted) console.backoff.reset();
  hang_up(console);
  const std::string text = why.text();
  const bool news = console.status.state != ConsoleState::waiting || console.status.why != text;
  if (news && events_.on_note) events_.on_note(console.node, "closed: " + text);
  console.status.why = text;
  console.status.next = why.next;
  move(console, needed(console) ? ConsoleState::waiting : ConsoleState::idle);
  console.refused = why.code == Code::unauthenticated;
  if (needed(console)) {
    const Duration wait = console.refused ? limits_.refused_retry : console.backoff.next(random_);
    try_at(console, executor_.now() + wait);
  }
  pump();
}

void ConsoleHub::hang_up(Console& console) {
  if (std::exchange(console.dialling, false)) --dialling_;
  console.queued = false;
  console.timer.cancel();
  console.quiet.cancel();
  console.line.reset();
}

/// Hangs up soon where nobody needs it.
void ConsoleHub::settle(Console& console) {
  if (needed(console)) return;
  if (console.status.state != ConsoleState::open) {
    hang_up(console);
    return move(console, ConsoleState::idle);
  }
  console.timer.after(executor_, limits_.linger, [this, &console] {
    hang_up(console);
    if (events_.on_note) events_.on_note(console.node, "closed: nobody needs it");
    move(console, ConsoleState::idle);
  });
}

void ConsoleHub::move(Console& console, ConsoleState state) {
  if (console.status.state != state) {
    console.status.state = state;
    console.status.since = executor_.wall();
  }
  if (state != ConsoleState::waiting) {
    console.status.why.clear();
    console.status.next.clear();
  }
  for (const auto& viewer : console.viewers) {
    if (viewer->told) viewer->sink->on_status(console.status);
  }
}

// --- bytes --------------------------------------------------------------------------------------

void ConsoleHub::took(Console& console, std::string_view bytes) {
  if (events_.on_bytes) events_.on_bytes(console.node, bytes);
  console.status.bytes += bytes.size();
  console.kept += bytes;
  if (console.kept.size() > 2 * limits_.kept) {
    console.kept.erase(0, console.kept.size() - limits_.kept);
  }
  for (const auto& viewer : console.viewers) {
    if (viewer->told) feed(console, *viewer);
  }
  throttle(console, bytes.size());
}

/// Gives one what it has not had, as far as that is kept; nothing while it is full.
void ConsoleHub::feed(Console& console, Viewer& viewer) {
  if (viewer.next == console.status.bytes || viewer.sink->full()) return;
  if (viewer.next < console.oldest()) {
    viewer.sink->on_lost(console.oldest() - viewer.next);
    viewer.next = console.oldest();
  }
  const std::string_view news =
      std::string_view(console.kept).substr(viewer.next - console.oldest());
  viewer.next = console.status.bytes;
  viewer.sink->on_bytes(viewer.next, news);
}

void ConsoleHub::feed_soon(Console& console) {
  if (std::exchange(console.feeding, true)) return;
  executor_.post([this, alive = std::weak_ptr<bool>(alive_), node = console.node] {
    if (alive.expired()) return;
    const auto found = consoles_.find(node);
    if (found == consoles_.end()) return;
    Console& console = *found->second;
    console.feeding = false;
    for (const auto& viewer : console.viewers) {
      if (!std::exchange(viewer->told, true)) {
        viewer->sink->on_status(console.status);
        viewer->sink->on_viewers(viewers(node));
      }
      feed(console, *viewer);
    }
  });
}

void ConsoleHub::tell_viewers(Console& console) {
  const auto all = viewers(console.node);
  for (const auto& viewer : console.viewers) {
    if (viewer->told) viewer->sink->on_viewers(all);
  }
}

/// A machine that says more than a line can carry waits.
void ConsoleHub::throttle(Console& console, size_t bytes) {
  const MonoTime now = executor_.now();
  const auto most = static_cast<int64_t>(limits_.burst_bytes);
  const auto rate = static_cast<int64_t>(limits_.bytes_per_second);
  const auto passed = std::min<Duration>(now - console.counted, std::chrono::hours(1));
  const int64_t gained =
      std::chrono::duration_cast<std::chrono::milliseconds>(passed).count() * rate / 1000;
  if (gained > 0) {
    console.budget = std::min(most, console.budget + gained);
    console.counted = now;
  }
  console.budget -= static_cast<int64_t>(bytes);
  if (console.budget >= 0 || console.line == nullptr) return;
  console.line->pause(true);
  const auto wait = std::chrono::milliseconds(-console.budget * 1000 / rate + 1);
  console.quiet.after(executor_, wait, [&console] {
    if (console.line) console.line->pause(false);
  });
}

// --- typing -------------------------------------------------------------------------------------

Result<ConsoleHub::Console*> ConsoleHub::writable(ViewerId id) {
  Viewer* viewer = nullptr;
  Console* const console = find(id, &viewer);
  if (console == nullptr) return fail(Code::not_found, "nobody is at a console by that name");
  if (!viewer->about.writes) return fail(Code::denied, "who spies does not write");
  if (console->status.state == ConsoleState::open) return console;
  const std::string& why = console->status.why;
  return fail(
      Code::conflict,
      fmt::format("the console of {} is not open{}{}", console->node, why.empty() ? "" : ": ", why),
      console->status.next);
}

Status ConsoleHub::type(ViewerId id, std::string_view bytes) {
  DROVER_TRY(Console* const console, writable(id));
  if (console->line->unsent() + bytes.size() > limits_.unsent) {
    return fail(Code::exhausted,
                fmt::format("the console of {} does not take what was typed before", console->node),
                "wait a little");
  }
  console->line->write(bytes);
  return {};
}

Status ConsoleHub::send_break(ViewerId id) {
  DROVER_TRY(Console* const console, writable(id));
  return console->line->send_break();
}

}  // namespace drover::hardware
