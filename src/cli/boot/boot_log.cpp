// drover boot log: what nodes' kernels and boots said, from any boot daemon, searched and followed;
// drover boot trace: the same as a table of steps.
#include "cli/boot/boot_log.hpp"

#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "base/text_pattern.hpp"
#include "cli/boot/boot_trace.hpp"
#include "cli/boot/stream.hpp"
#include "cli/bulk.hpp"
#include "cli/context.hpp"
#include "cli/nouns/boot_nouns.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& log_view() {
  static const ListView view{{{"TIME", "time"},
                              {"NODE", "node"},
                              {"SOURCE", "source"},
                              {"TEXT", "text"},
                              {"DAEMON", "daemon", Show::text, true}},
                             "",
                             "node"};
  return view;
}

const ListView& trace_view() {
  static const ListView view{{{"TIME", "time"},
                              {"NODE", "node"},
                              {"AFTER_MS", "after_ms"},
                              {"STEP_MS", "step_ms"},
                              {"TEXT", "text"},
                              {"SOURCE", "source", Show::text, true},
                              {"BOOT", "boot", Show::text, true},
                              {"DAEMON", "daemon", Show::text, true}},
                             "",
                             "node"};
  return view;
}

/// What becomes of the lines.
enum class Use : uint8_t { print, follow, last_trace, all_traces };

class LogReader {
 public:
  LogReader(Context& context, Client& client, std::string path, Use use)
      : context_(context),
        client_(client),
        path_(std::move(path)),
        use_(use),
        follow_(use == Use::follow),
        stream_(client, {[this] { return next_path(); },
                         [this](const json::value& event, const net::SseEvent&) { take(event); },
                         [this](bool there, const std::string& why) { on_moved(there, why); }}) {}

  Result<int> run() {
    stream_.connect();
    client_.loop().run();
    if (stream_.refused()) return tl::unexpected<Error>(*stream_.refused());
    if (broken_) return tl::unexpected<Error>(*std::move(broken_));
    const int code = problems_.empty() ? 0 : 1;
    if (is_trace()) {
      json::array rows = trace_of(items_, use_ == Use::all_traces);
      return context_.print_list(std::move(rows), trace_view(), code);
    }
    if (!prints_at_once()) return context_.print_list(std::move(items_), log_view(), code);
    return code;
  }

 private:
  [[nodiscard]] bool is_trace() const { return use_ == Use::last_trace || use_ == Use::all_traces; }
  [[nodiscard]] bool prints_at_once() const {
    return !is_trace() && (context_.for_people() || context_.output().format == Format::jsonl);
  }
  /// After a break: from the newest line on, and the old lines are not asked for again.
  [[nodiscard]] std::string next_path() const {
    if (newest_.empty()) return path_;
    const size_t at = path_.find("since=");
    std::string out = path_;
    if (at != std::string::npos)
      out.erase(at, std::min(out.find('&', at), out.size() - 1) + 1 - at);
    return with_query(std::move(out), "since", newest_);
  }

  void take(const json::value& event) {
    if (const json::value* line = find_path(event, "line"); line && line->is_object()) show(*line);
    if (const json::value* problem = find_path(event, "problem"); problem && problem->is_object()) {
      const std::string daemon = text_at(*problem, "daemon");
      const std::string text = fmt::format(
          "{}{}", daemon.empty() ? "" : "boot daemon " + daemon + " ", text_at(*problem, "why"));
      if (problems_.insert(text).second) context_.warn(text);
    }
    const json::value* end = find_path(event, "end");
    if (end == nullptr || !end->is_bool() || !end->get_bool()) return;
    stream_.finish();
    client_.loop().stop();
  }

  void show(const json::value& line) {
    if (follow_ && !is_new(line)) return;
    if (!prints_at_once()) {
      items_.push_back(line);
    } else if (context_.for_people()) {
      context_.print(fmt::format("{} {} {}: {}\n", text_at(line, "time"), text_at(line, "node"),
                                 text_at(line, "source"), text_at(line, "text")));
    } else {
      context_.print(terminal_safe_json(to_text(line)) + "\n");
    }
  }
  /// Notes the newest lines, so that none is shown again after a break.
  bool is_new(const json::value& line) {
    const std::string time = text_at(line, "time");
    if (time > newest_) {
      newest_ = time;
      shown_.clear();
    }
    return time < newest_ || shown_.insert(to_text(line)).second;
  }

  void on_moved(bool there, const std::string& why) {
    if (there) return;
    if (follow_) {
      // Also when other boot daemons are linked than before: that is no trouble.
      if (why != "closed by the server") context_.warn("the log: " + why + "; going on");
      return;
    }
    broken_ = Error{Code::unreachable, "the log broke off: " + why, {}, "ask again"};
    stream_.finish();
    client_.loop().stop();
  }

  Context& context_;
  Client& client_;
  std::string path_;
  Use use_;
  bool follow_;
  ApiStream stream_;
  std::string newest_;           ///< time of the newest line shown
  std::set<std::string> shown_;  ///< lines of that time
  std::set<std::string> problems_;
  json::array items_;
  std::optional<Error> broken_;
};

Result<int> read_log(Context& context, std::string path, Use use) {
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  return LogReader(context, *client, std::move(path), use).run();
}

Result<int> log(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  DROVER_CHECK_OK(check_range(range));
  const bool follow = given.has("follow");
  std::string path = with_query("/api/v1/boot/log", "nodes", range);
  if (given.has("grep")) {
    if (const auto pattern = TextPattern::compile(given.text("grep")); !pattern) {
      return fail(Code::invalid_argument, "--grep: " + pattern.error().text());
    }
    path = with_query(std::move(path), "grep", given.text("grep"));
  }
  if (given.has("lines")) path = with_query(std::move(path), "lines", given.text("lines"));
  if (follow) path = with_query(std::move(path), "follow", "true");
  if (given.has("since")) {
    DROVER_TRY(const std::string since, since_of(context, given.text("since")));
    path = with_query(std::move(path), "since", since);
  }
  return print_log_lines(context, std::move(path), follow);
}

/// What the boot services saw and did, and last words of kernels; not all that kernels say.
Result<int> trace(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  DROVER_CHECK_OK(check_range(range));
  std::string path = with_query("/api/v1/boot/log", "nodes", range);
  path = with_query(std::move(path), "grep", "^(boot|panic): ");
  if (given.has("since")) {
    DROVER_TRY(const std::string since, since_of(context, given.text("since")));
    path = with_query(std::move(path), "since", since);
  }
  return read_log(context, std::move(path), given.has("all") ? Use::all_traces : Use::last_trace);
}

}  // namespace

Result<std::string> since_of(const Context& context, const std::string& text) {
  if (const auto time = from_rfc3339(text)) return to_rfc3339(*time);
  if (const auto ago = parse_duration(text)) return to_rfc3339(context.now() - *ago);
  return fail(Code::invalid_argument,
              fmt::format("--since takes a time such as 2026-11-22T10:00:00Z or 10m, not '{}'",
                          printable(text)));
}

Result<int> print_log_lines(Context& context, std::string path, bool follow) {
  if (follow && !context.for_people() && context.output().format != Format::jsonl) {
    return fail(Code::invalid_argument, "--follow prints lines: with -o jsonl, or without -o");
  }
  return read_log(context, std::move(path), follow ? Use::follow : Use::print);
}

std::vector<Command> boot_log_commands() {
  return {{"boot",
           "log",
           "Show what nodes said, from their first packet on: boot, kernel, panics",
           {{"noderange", Kind::required, "Nodes"},
            {"follow", Kind::flag, "Go on with what is new", {}, 'f'},
            {"since", Kind::option, "Only from this time on, or from so long ago: 10m"},
            {"grep", Kind::option, "Only lines whose \"SOURCE: TEXT\" this expression matches"},
            {"lines", Kind::option, "Only the newest so many of each node [all]"}},
           {"drover boot log n1 --lines 100", "drover boot log n1 --follow",
            "drover boot log 'n[1-100]' --grep 'error|panic' --since 1h"},
           log},
          {"boot",
           "trace",
           "Show the steps of nodes' last boots, and how long each took",
           {{"noderange", Kind::required, "Nodes"},
            {"all", Kind::flag, "All boots that their logs have"},
            {"since", Kind::option, "Only from this time on, or from so long ago: 10m"}},
           {"drover boot trace n1", "drover boot trace 'n[1-8]' --all --since 1d -o csv"},
           trace}};
}

}  // namespace drover::cli
