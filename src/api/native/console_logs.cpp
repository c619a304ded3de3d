// GET /consoles/log: what consoles said, as lines for people, in the form of the boot log. GET
// /nodes/{name}/console/recording: the same byte by byte, with its times.
#include "api/boot_view.hpp"
#include "api/console_source.hpp"
#include "api/console_view.hpp"
#include "api/line_answer.hpp"
#include "api/native/consoles.hpp"
#include "api/node_selection.hpp"
#include "base/base64.hpp"
#include "base/noderange.hpp"
#include "base/text_pattern.hpp"
#include "hardware/console/console_record.hpp"

#include <deque>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint64_t kMostLines = 1'000'000;
constexpr size_t kMostHeld = 10'000;  ///< pieces that come while a long log is read

struct Wanted {
  std::vector<std::string> nodes;
  std::shared_ptr<const TextPattern> grep;  ///< on "source: text"; null: all
  WallTime since{};
  size_t lines = 0;  ///< the newest of each node; 0: all
  bool follow = false;
};

/// Pieces of one node as lines of a log.
class NodeLines {
 public:
  explicit NodeLines(std::string node) : node_(std::move(node)) {}

  void add(const ConsolePiece& piece, std::vector<BootLogLine>& out) {
    std::vector<hardware::ConsoleLines::Line> lines;
    if (!piece.note) lines_.add(piece.time, piece.bytes, lines);
    for (auto& line : lines) out.push_back(of(line.time, "console", std::move(line.text)));
    if (piece.note) out.push_back(of(piece.time, "note", piece.bytes));
  }
  void rest(std::vector<BootLogLine>& out) {
    if (auto line = lines_.rest()) out.push_back(of(line->time, "console", std::move(line->text)));
  }

 private:
  BootLogLine of(WallTime time, std::string_view source, std::string text) {
    return {time, node_, std::string(source), std::move(text), {}};
  }
  std::string node_;
  hardware::ConsoleLines lines_;
};

/// Node after node from the disk; what comes meanwhile of those that were read waits its turn.
class LogStream final : public std::enable_shared_from_this<LogStream> {
 public:
  LogStream(Services& services, ConsoleSource& source, Wanted wanted)
      : services_(services),
        source_(source),
        life_(source.hub().life()),
        wanted_(std::move(wanted)),
        answer_(services.executor,
                {[this] { leave(); }, [this] { drained(); }, [this] { write({}); }}) {}
  LogStream(const LogStream&) = delete;
  LogStream& operator=(const LogStream&) = delete;
  ~LogStream() {
    if (listens_ != 0 && !life_.expired()) source_.unlisten(listens_);
  }

  void start(Request& request) {
    if (!answer_.begin(request)) return;
    self_ = shared_from_this();
    if (wanted_.follow) {
      listens_ = source_.listen(
          [this](const std::string& node, const ConsolePiece& piece) { hear(node, piece); });
    }
    next();
  }

 private:
  void hear(const std::string& node, const ConsolePiece& piece) {
    const auto read = read_.find(node);
    if (read == read_.end()) return;  // its turn is to come
    if (caught_up_ && !answer_.full()) return put(read->second, piece);
    if (held_.size() < kMostHeld) held_.emplace_back(node, piece);
  }
  void put(NodeLines& of, const ConsolePiece& piece) {
    std::vector<BootLogLine> lines;
    of.add(piece, lines);
    for (BootLogLine& line : lines) {
      if (is_wanted(line)) tell(std::move(line));
    }
  }
  [[nodiscard]] bool is_wanted(const BootLogLine& line) const {
    if (line.time < wanted_.since) return false;
    return wanted_.grep == nullptr || wanted_.grep->matches(line.source + ": " + line.text);
  }

  void next() {
    waiting_ = false;
    if (at_ == wanted_.nodes.size()) return finish();
    const std::string& node = wanted_.nodes[at_++];
    const auto read = read_.emplace(node, NodeLines(node)).first;
    source_.read(node, wanted_.since,
                 [self = weak_from_this(), read](const Result<std::vector<ConsolePiece>>& pieces) {
                   if (const auto held = self.lock()) held->take(read->second, pieces);
                 });
  }
  void take(NodeLines& of, const Result<std::vector<ConsolePiece>>& pieces) {
    if (self_ == nullptr) return;  // its client left
    if (!pieces) {
      BootLogEvent event;
      event.problem = BootDaemonProblem{"", pieces.error().text()};
      write(event);
    } else {
      std::vector<BootLogLine> lines;
      for (const ConsolePiece& piece : *pieces) of.add(piece, lines);
      if (!wanted_.follow) of.rest(lines);
      std::erase_if(lines, [this](const BootLogLine& line) { return !is_wanted(line); });
      const size_t skip =
          wanted_.lines == 0 || lines.size() <= wanted_.lines ? 0 : lines.size() - wanted_.lines;
      for (size_t i = skip; i < lines.size(); ++i) tell(std::move(lines[i]));
    }
    waiting_ = answer_.full();
    if (!waiting_) next();
  }
  void finish() {
    caught_up_ = true;
    BootLogEvent event;
    event.caught_up = true;
    event.end = !wanted_.follow;
    write(event);
    if (wanted_.follow) return drained();
    answer_.end();
    leave();
  }
  void drained() {
    if (waiting_) return next();
    if (!caught_up_) return;
    for (; !held_.empty() && !answer_.full(); held_.pop_front()) {
      put(read_.find(held_.front().first)->second, held_.front().second);
    }
  }
  void tell(BootLogLine line) {
    BootLogEvent event;
    event.line = std::move(line);
    write(event);
  }
  void write(const BootLogEvent& event) { answer_.write(encode(event)); }
  void leave() {
    services_.executor.post([held = std::move(self_)] {});
  }

  Services& services_;
  ConsoleSource& source_;
  std::weak_ptr<bool> life_;  ///< the source's, which may go first when the master ends
  Wanted wanted_;
  size_t at_ = 0;
  bool waiting_ = false;
  bool caught_up_ = false;
  uint64_t listens_ = 0;
  std::map<std::string, NodeLines, std::less<>> read_;
  std::deque<std::pair<std::string, ConsolePiece>> held_;
  std::shared_ptr<LogStream> self_;
  LineAnswer answer_;
};

/// A whole recording, as fast as its client takes it.
class RecordingStream final : public std::enable_shared_from_this<RecordingStream> {
 public:
  RecordingStream(Services& services, std::vector<ConsolePiece> pieces)
      : services_(services),
        pieces_(std::move(pieces)),
        answer_(services.executor, {[this] { leave(); }, [this] { give(); },
                                    [this] { answer_.write(encode(ConsoleRecord{})); }}) {}

  void start(Request& request) {
    if (!answer_.begin(request)) return;
    self_ = shared_from_this();
    give();
  }

 private:
  void give() {
    if (self_ == nullptr) return;
    for (; at_ < pieces_.size() && !answer_.full(); ++at_) {
      const ConsolePiece& piece = pieces_[at_];
      ConsoleRecord record;
      record.time = piece.time;
      (piece.note ? record.note : record.data) =
          piece.note ? piece.bytes : to_base64url(piece.bytes);
      answer_.write(encode(record));
    }
    if (at_ < pieces_.size()) return;
    ConsoleRecord last;
    last.end = true;
    answer_.write(encode(last));
    answer_.end();
    leave();
  }
  void leave() {
    services_.executor.post([held = std::move(self_)] {});
  }

  Services& services_;
  std::vector<ConsolePiece> pieces_;
  size_t at_ = 0;
  std::shared_ptr<RecordingStream> self_;
  LineAnswer answer_;
};

Result<WallTime> time_of(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text) return WallTime{};
  if (const auto time = from_rfc3339(*text)) return *time;
  return fail(Code::invalid_argument,
              fmt::format("{}: expected a time such as 2026-11-22T10:00:00Z", name));
}

void show_log(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, ConsoleSource* const source, consoles_of(services));
  Wanted wanted;
  if (const auto range = request->query("nodes")) {
    DROVER_OR_FAIL(request, wanted.nodes, evaluate(*range, cluster::ModelNames(services.model)));
  } else {
    wanted.nodes = source->hub().nodes();
  }
  if (const auto grep = request->query("grep")) {
    auto pattern = TextPattern::compile(std::string(*grep));
    if (!pattern) {
      return request->fail({Code::invalid_argument, pattern.error().text(), "grep", {}});
    }
    wanted.grep = std::make_shared<const TextPattern>(*std::move(pattern));
  }
  DROVER_OR_FAIL(request, wanted.since, time_of(*request, "since"));
  DROVER_OR_FAIL(request, wanted.lines, request->query_number("lines", 0, 0, kMostLines));
  wanted.follow = request->query("follow") == "true";
  std::make_shared<LogStream>(services, *source, std::move(wanted))->start(*request);
}

void show_recording(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, ConsoleSource* const source, consoles_of(services));
  DROVER_OR_FAIL(request, const auto* entry, find_node(services.model, request->path("name")));
  DROVER_OR_FAIL(request, const WallTime since, time_of(*request, "since"));
  DROVER_OR_FAIL(request, const WallTime until, time_of(*request, "until"));
  source->read(entry->node().name, since,
               [&services, request, until](Result<std::vector<ConsolePiece>> pieces) {
                 if (!pieces) return request->fail(pieces.error());
                 if (until != WallTime{}) {
                   std::erase_if(*pieces, [until](const auto& one) { return one.time > until; });
                 }
                 std::make_shared<RecordingStream>(services, *std::move(pieces))->start(*request);
               });
}

}  // namespace

void add_console_logs(Router& router, Services& services) {
  const QueryParameter since{.name = "since", .doc = "Only from this time on (RFC 3339)."};
  router.add(
      {.method = "GET",
       .path = "/api/v1/consoles/log",
       .privilege = auth::Privilege::view,
       .summary = "What the serial consoles of nodes said, line by line, as lines of JSON.",
       .query = {{.name = "nodes",
                  .doc =
                      "Of these nodes, a noderange; where nothing is said of those that are held "
                      "or were used since this master started."},
                 {.name = "grep",
                  .doc = "Only lines whose \"source: text\" matches this regular expression."},
                 since,
                 {"lines", "Only the newest so many of each node; 0 or absent: all.", true, 0,
                  kMostLines},
                 {.name = "follow",
                  .doc = "true: go on with what is new, until the client leaves.",
                  .choices = {"true", "false"}}},
       .gives = body_of<BootLogEvent>(),
       .content_type = kJsonLines,
       .errors = {Code::not_found},
       .handler = [&services](const RequestPtr& r) { show_log(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/console/recording",
              .privilege = auth::Privilege::view,
              .summary = "What a node's serial console said, raw and with its times, as lines of "
                         "JSON.",
              .query = {since, {.name = "until", .doc = "Only up to this time (RFC 3339)."}},
              .gives = body_of<ConsoleRecord>(),
              .content_type = kJsonLines,
              .handler = [&services](const RequestPtr& r) { show_recording(services, r); }});
}

}  // namespace drover::api
