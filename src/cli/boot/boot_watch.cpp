// drover boot watch: nodes on their way up, as bars on a terminal or as lines.
#include "base/config.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/boot/boot_board.hpp"
#include "cli/boot/stream.hpp"
#include "cli/context.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr Duration kTick = std::chrono::seconds(1);
/// Between two drawings: what an eye takes in.
constexpr Duration kBurst = std::chrono::milliseconds(100);

struct WatchOptions {
  std::string range;      ///< empty: every node
  bool until_up = false;  ///< an error is not the end
  std::optional<Duration> limit;
};

class BootWatch {
 public:
  BootWatch(Context& context, Client& client, WatchOptions options)
      : context_(context),
        client_(client),
        options_(std::move(options)),
        live_(context.surroundings().out_is_terminal && context.for_people()),
        changes_(client, {[this] { return changes_path(); },
                          [this](const json::value& change, const net::SseEvent& event) {
                            on_change(change, event);
                          },
                          [this](bool there, const std::string& why) { on_moved(there, why); }}),
        progress_(client, {[this] { return query("/api/v1/boot/progress?follow=true"); },
                           [this](const json::value& event, const net::SseEvent&) {
                             board_.take_progress(event);
                             note_problem(event);
                             dirty_ = true;
                           }}) {}

  Result<int> run() {
    net::Loop& loop = client_.loop();
    began_ = loop.wall();
    const MonoTime start = loop.now();
    // First the stream, then what is: nothing falls between.
    changes_.connect();
    loop.run_until([this] { return changes_.there() || changes_.refused(); }, context_.timeout());
    if (changes_.refused()) return tl::unexpected<Error>(*changes_.refused());
    DROVER_CHECK_OK(list());
    if (options_.range.empty() ? false : board_.size() == 0) {
      return fail(Code::not_found, "no such nodes");
    }
    progress_.connect();
    while (!over()) {
      show();
      Duration wait = kTick;
      if (options_.limit) {
        const Duration left = *options_.limit - (loop.now() - start);
        if (left <= Duration::zero()) return give_up();
        wait = std::min(wait, left);
      }
      loop.run_until([this] { return dirty_ || relist_ || changes_.refused(); }, wait);
      if (changes_.refused()) return tl::unexpected<Error>(*changes_.refused());
      if (std::exchange(relist_, false)) DROVER_CHECK_OK(list());
      if (live_ && std::exchange(dirty_, false)) loop.run_until([] { return false; }, kBurst);
      dirty_ = false;
    }
    show();
    finish();
    return board_.all_up() ? 0 : 1;
  }

 private:
  [[nodiscard]] std::string query(std::string path) const {
    if (options_.range.empty()) return path;
    path += path.find('?') == std::string::npos ? '?' : '&';
    return path + "nodes=" + net::percent_encode(options_.range);
  }
  [[nodiscard]] std::string changes_path() const {
    std::string path = query("/api/v1/watch?kind=node");
    if (last_ != 0) path += fmt::format("&since={}", last_);
    return path;
  }

  Status list() {
    DROVER_TRY(
        const json::array nodes,
        client_.list(query("/api/v1/nodes?fields=name,role,phase,revision"), context_.timeout()));
    for (const json::value& node : nodes) {
      const json::value* revision = find_path(node, "revision");
      const bool has = revision != nullptr && revision->is_number();
      board_.take_node(node, has ? revision->to_number<uint64_t>() : 0, live_);
    }
    dirty_ = true;
    return {};
  }

  void on_change(const json::value& change, const net::SseEvent& event) {
    (void)std::from_chars(event.id.data(), event.id.data() + event.id.size(), last_);
    if (event.name != "change") return;
    const json::value* after = find_path(change, "after");
    if (after != nullptr && after->is_object()) {
      board_.take_node(*after, last_, live_);
    } else {
      board_.forget(text_at(change, "key"));
    }
    dirty_ = true;
  }
  void on_moved(bool there, const std::string& why) {
    if (!there) return say("connection lost (" + why + "); going on");
    if (!first_ && last_ == 0) relist_ = true;  // nothing to go on from
    if (!first_) say("connected again");
    first_ = false;
  }
  void note_problem(const json::value& event) {
    const json::value* problem = find_path(event, "problem");
    if (problem == nullptr || !problem->is_object()) return;
    const std::string text =
        fmt::format("boot daemon {} {}", text_at(*problem, "daemon"), text_at(*problem, "why"));
    if (text == trouble_) return;
    trouble_ = text;
    say(text);
  }
  void say(const std::string& text) {
    wipe();
    context_.warn("boot watch: " + printable(text));
  }

  [[nodiscard]] bool over() const {
    if (options_.range.empty() && !options_.until_up) return false;
    return options_.until_up ? board_.all_up() : board_.settled();
  }
  int give_up() {
    show();
    stop();
    context_.warn(fmt::format("not every node is up after {}: {}", duration_text(*options_.limit),
                              board_.not_up()));
    context_.warn("next: drover boot log NODE");
    return 1;
  }

  void show() {
    if (!live_) {
      const bool lines = context_.for_people();
      const std::string text = lines ? board_.take_lines(began_) : board_.take_json();
      if (!text.empty()) context_.print(text);
      return;
    }
    const Surroundings& around = context_.surroundings();
    const size_t height = around.height < 4 ? 24 : around.height - 1;
    std::string out;
    if (drawn_ > 0) out = fmt::format("\r\x1b[{}A", drawn_);
    const auto lines = board_.screen(around.width == 0 ? 80 : around.width, height,
                                     client_.loop().wall(), context_.output().colour);
    for (const std::string& line : lines) out += line + "\x1b[K\n";
    if (lines.size() < drawn_) out += "\x1b[J";
    drawn_ = lines.size();
    context_.print(out);
  }
  /// Makes room for a line of words above the bars.
  void wipe() {
    if (!live_ || drawn_ == 0) return;
    context_.print(fmt::format("\r\x1b[{}A\x1b[J", drawn_));
    drawn_ = 0;
  }
  void finish() {
    if (context_.for_people() && !live_ && !board_.all_up() && board_.size() > 0) {
      context_.warn("not up: " + board_.not_up());
    }
    stop();
  }
  void stop() {
    changes_.stop();
    progress_.stop();
  }

  Context& context_;
  Client& client_;
  WatchOptions options_;
  bool live_;
  BootBoard board_;
  ApiStream changes_;
  ApiStream progress_;
  WallTime began_{};
  uint64_t last_ = 0;
  bool first_ = true;
  bool dirty_ = false;
  bool relist_ = false;
  std::string trouble_;
  size_t drawn_ = 0;  ///< lines on the terminal
};

Result<int> watch(Context& context, const Given& given) {
  WatchOptions options;
  options.range = given.text("noderange");
  options.until_up = given.has("until-up");
  if (!options.range.empty()) DROVER_CHECK_OK(check_range(options.range));
  if (given.has("limit")) {
    DROVER_TRY(options.limit, parse_duration(given.text("limit")));
  }
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  return BootWatch(context, *client, std::move(options)).run();
}

}  // namespace

std::vector<Command> boot_watch_commands() {
  return {{"boot",
           "watch",
           "Watch nodes boot: a bar for each on a terminal, else a line for each stage",
           {{"noderange", Kind::optional, "Nodes: ends when each is up or failed [all, no end]"},
            {"until-up", Kind::flag, "End only when all are up: what failed may try again"},
            {"limit", Kind::option, "Give up after this long, such as 5m"}},
           {"drover boot watch", "drover boot watch 'n[1-8]' --until-up --limit 10m",
            "drover node reboot n1 && drover boot watch n1", "drover boot watch n1 -o jsonl"},
           watch}};
}

}  // namespace drover::cli
