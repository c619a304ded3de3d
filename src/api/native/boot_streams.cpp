// GET /boot/progress, GET /boot/log and GET /boot/leases: what the boot daemons tell, asked over
// their links and put together.
#include "api/boot_fan.hpp"
#include "api/boot_log_merge.hpp"
#include "api/line_answer.hpp"
#include "api/native/boot.hpp"
#include "base/noderange.hpp"
#include "base/text_pattern.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint64_t kMostLines = 1'000'000;
constexpr size_t kMostAhead = 2000;  ///< lines of one daemon that wait for the others
constexpr size_t kFewAhead = 500;

std::vector<BootDaemonProblem> unlinked(const BootDaemons& daemons) {
  std::vector<BootDaemonProblem> out;
  const auto known = daemons.known();
  if (known.empty()) out.push_back({"", "no boot daemon has joined this cluster"});
  for (const BootDaemons::Known& daemon : known) {
    if (!daemon.linked) out.push_back({daemon.name, "is not linked: " + daemon.why});
  }
  return out;
}

/// What both streams are: an answer, the daemons behind it, and when it is over. A stream that
/// follows ends without `end` when other daemons are linked than were asked: the client asks again.
template <typename Event>
class BootStream : public std::enable_shared_from_this<BootStream<Event>> {
 public:
  BootStream(Services& services, bool follow)
      : services_(services),
        follow_(follow),
        answer_(services.executor,
                {[this] { leave(); }, [this] { drained(); }, [this] { pulse(); }}) {}
  BootStream(const BootStream&) = delete;
  BootStream& operator=(const BootStream&) = delete;
  virtual ~BootStream() = default;

  void start(const RequestPtr& request, std::string_view path, const std::string& query) {
    if (!answer_.begin(*request)) return;
    self_ = this->shared_from_this();
    for (BootDaemonProblem& problem : unlinked(services_.boot_daemons)) tell(std::move(problem));
    BootFan::Events events;
    events.on_line = [this](size_t daemon, std::string_view line) { take(daemon, line); };
    events.on_end = [this](size_t daemon, const Status& end) { ended(daemon, end); };
    fan_ = std::make_unique<BootFan>(services_.boot_daemons, path, query, std::move(events));
    open_ = fan_->names().size();
    begun(open_);
    if (open_ == 0) all_ended();
  }

 protected:
  virtual void begun(size_t daemons) = 0;
  virtual void take_event(size_t daemon, Event event) = 0;
  virtual void close(size_t daemon) = 0;
  virtual void drained() = 0;

  void write(const Event& event) { answer_.write(encode(event)); }
  [[nodiscard]] BootFan& fan() { return *fan_; }
  [[nodiscard]] bool full() const { return answer_.full(); }
  [[nodiscard]] bool follows() const { return follow_; }

 private:
  void tell(BootDaemonProblem problem) {
    Event event;
    event.problem = std::move(problem);
    write(event);
  }
  void take(size_t daemon, std::string_view line) {
    auto event = decode_text<Event>(line, Unknown::ignore);
    if (event) return take_event(daemon, *std::move(event));
    tell({fan_->names().at(daemon), "said what cannot be read: " + event.error().text()});
  }
  void ended(size_t daemon, const Status& end) {
    if (!end) tell({fan_->names().at(daemon), end.error().text()});
    close(daemon);
    --open_;
    // Somebody else may know by now what this one would tell.
    if (open_ == 0 || (follow_ && !end)) all_ended();
  }
  void all_ended() {
    // Who follows without anybody to follow waits for one.
    if (follow_ && open_ == 0 && fan_->names().empty()) {
      Event event;
      event.caught_up = true;
      return write(event);
    }
    if (!follow_) {
      Event event;
      event.end = true;
      write(event);
    }
    answer_.end();
    leave();
  }
  void pulse() {
    write({});
    if (!follow_) return;
    std::vector<std::string> linked;
    for (const auto& daemon : services_.boot_daemons.known()) {
      if (daemon.linked) linked.push_back(daemon.name);
    }
    if (linked == fan_->names()) return;
    answer_.end();
    leave();
  }
  /// Not in an event of its own parts.
  void leave() {
    services_.executor.post([held = std::move(self_)] {});
  }

  Services& services_;
  bool follow_;
  size_t open_ = 0;
  std::shared_ptr<BootStream> self_;
  LineAnswer answer_;
  std::unique_ptr<BootFan> fan_;
};

class ProgressStream final : public BootStream<BootProgressEvent> {
 public:
  using BootStream::BootStream;

 private:
  void begun(size_t daemons) override { behind_ = daemons; }
  void take_event(size_t, BootProgressEvent event) override {
    if (event.boot || !event.ended.empty()) write(event);
    if (event.caught_up) note_caught_up();
  }
  void note_caught_up() {
    if (behind_ == 0 || --behind_ > 0) return;
    BootProgressEvent all;
    all.caught_up = true;
    write(all);
  }
  void close(size_t) override {}
  void drained() override {}

  size_t behind_ = 0;
};

class LogStream final : public BootStream<BootLogEvent> {
 public:
  LogStream(Services& services, bool follow, size_t lines)
      : BootStream(services, follow), lines_(lines) {}

 private:
  void begun(size_t daemons) override {
    merge_ = std::make_unique<BootLogMerge>(daemons, lines_);
    caught_up_.resize(daemons);
    paused_.resize(daemons);
  }
  void take_event(size_t daemon, BootLogEvent event) override {
    if (event.line) {
      event.line->daemon = fan().names().at(daemon);
      if (caught_up_[daemon]) {
        later_.push_back(*std::move(event.line));
      } else {
        merge_->add(daemon, *std::move(event.line));
      }
    }
    if (event.problem) write(event);
    if (event.caught_up) return close(daemon);
    give();
  }
  void close(size_t daemon) override {
    merge_->close(daemon);
    caught_up_[daemon] = true;
    give();
  }
  void drained() override { push_back(); }

  void give() {
    for (BootLogLine& line : merge_->take()) put(std::move(line));
    if (merge_->done()) {
      if (!std::exchange(told_, true)) {
        BootLogEvent event;
        event.caught_up = true;
        write(event);
      }
      for (BootLogLine& line : later_) put(std::move(line));
      later_.clear();
    }
    push_back();
  }
  void put(BootLogLine line) {
    BootLogEvent event;
    event.line = std::move(line);
    write(event);
  }
  void push_back() {
    for (size_t i = 0; i < paused_.size(); ++i) {
      const size_t ahead = merge_->waiting(i);
      const bool pause = full() || ahead > (paused_[i] ? kFewAhead : kMostAhead);
      if (pause != paused_[i]) fan().pause(i, pause);
      paused_[i] = pause;
    }
  }

  size_t lines_;
  std::unique_ptr<BootLogMerge> merge_;
  std::vector<bool> caught_up_;
  std::vector<bool> paused_;
  std::vector<BootLogLine> later_;  ///< new ones of daemons that are ahead
  bool told_ = false;
};

class LeaseStream final : public BootStream<BootLeaseEvent> {
 public:
  using BootStream::BootStream;

 private:
  void begun(size_t) override {}
  void take_event(size_t daemon, BootLeaseEvent event) override {
    if (!event.lease) return;
    event.lease->daemon = fan().names().at(daemon);
    write(event);
    if (full()) fan().pause(daemon, true);
  }
  void close(size_t) override {}
  void drained() override {
    for (size_t i = 0; i < fan().names().size(); ++i) fan().pause(i, false);
  }
};

Result<std::optional<std::string>> asked_for(Services& services, const Request& request) {
  const auto range = request.query("nodes");
  if (!range) return std::optional<std::string>();
  DROVER_TRY(const auto names, evaluate(*range, cluster::ModelNames(services.model)));
  return std::optional(fold_names(names));
}

bool is_set(const Request& request, std::string_view name) {
  return request.query(name) == "true";
}

void show_progress(Services& services, const RequestPtr& request) {
  BootProgressQuery query;
  DROVER_OR_FAIL(request, query.nodes, asked_for(services, *request));
  query.follow = is_set(*request, "follow");
  std::make_shared<ProgressStream>(services, query.follow)
      ->start(request, kBootProgressPath, encode(query));
}

void show_log(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const auto nodes, asked_for(services, *request));
  BootLogQuery query;
  query.nodes = nodes ? *nodes : fold_names(cluster::ModelNames(services.model).all());
  query.grep = request->query("grep").value_or("");
  if (const auto pattern = TextPattern::compile(query.grep); !pattern) {
    return request->fail({Code::invalid_argument, pattern.error().text(), "grep", {}});
  }
  if (const auto since = request->query("since")) {
    const auto time = from_rfc3339(*since);
    if (!time) {
      return request->fail(
          {Code::invalid_argument, "since: expected a time such as 2026-11-22T10:00:00Z", {}, {}});
    }
    query.since = *time;
  }
  DROVER_OR_FAIL(request, query.lines, request->query_number("lines", 0, 0, kMostLines));
  query.follow = is_set(*request, "follow");
  std::make_shared<LogStream>(services, query.follow, query.lines)
      ->start(request, kBootLogPath, encode(query));
}

void show_leases(Services& services, const RequestPtr& request) {
  BootLeaseQuery query;
  query.all = is_set(*request, "all");
  std::make_shared<LeaseStream>(services, false)->start(request, kBootLeasesPath, encode(query));
}

}  // namespace

void add_boot_streams(Router& router, Services& services) {
  const QueryParameter nodes{.name = "nodes", .doc = "Only these nodes, a noderange."};
  const QueryParameter follow{.name = "follow",
                              .doc =
                                  "true: go on with what is new, until the client leaves or "
                                  "other boot daemons are linked.",
                              .choices = {"true", "false"}};
  router.add({.method = "GET",
              .path = "/api/v1/boot/progress",
              .privilege = auth::Privilege::view,
              .summary = "Boots under way: stage, bytes and deadline of each, as lines of JSON.",
              .query = {nodes, follow},
              .gives = body_of<BootProgressEvent>(),
              .content_type = kJsonLines,
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { show_progress(services, r); }});
  router.add(
      {.method = "GET",
       .path = "/api/v1/boot/log",
       .privilege = auth::Privilege::view,
       .summary = "The logs of nodes, from their first packet on: boot and kernel, lines of JSON.",
       .query = {nodes,
                 {.name = "grep",
                  .doc = "Only lines whose \"source: text\" matches this regular "
                         "expression."},
                 {.name = "since", .doc = "Only lines from this time on (RFC 3339)."},
                 {"lines", "Only the newest so many of each node; 0 or absent: all.", true, 0,
                  kMostLines},
                 follow},
       .gives = body_of<BootLogEvent>(),
       .content_type = kJsonLines,
       .errors = {Code::not_found},
       .handler = [&services](const RequestPtr& r) { show_log(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/boot/leases",
              .privilege = auth::Privilege::view,
              .summary = "Addresses that the boot daemons deal out, as lines of JSON.",
              .query = {{.name = "all",
                         .doc = "true: also those that are free now and that somebody had.",
                         .choices = {"true", "false"}}},
              .gives = body_of<BootLeaseEvent>(),
              .content_type = kJsonLines,
              .handler = [&services](const RequestPtr& r) { show_leases(services, r); }});
}

}  // namespace drover::api
