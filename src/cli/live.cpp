#include "cli/live.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "net/http/sse.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace drover::cli {
namespace {

/// Changes come in bursts; one drawing shows them all.
constexpr Duration kBurst = std::chrono::milliseconds(150);
/// Ages grow and agents speak without a change in the log.
constexpr Duration kRefresh = std::chrono::seconds(3);
constexpr Duration kReconnect = std::chrono::seconds(1);
/// The server sends a bookmark each 15 s.
constexpr Duration kSilence = std::chrono::seconds(40);

constexpr std::array<std::string_view, 7> kVerbs{"list", "show",       "count",  "expand",
                                                 "fold", "attributes", "members"};
constexpr std::array<std::string_view, 3> kNouns{"health", "history", "audit"};

/// Takes out what changes with every heartbeat.
json::value without_contact(const json::value& item) {
  json::value out = item;
  if (auto* object = out.if_object()) {
    object->erase("last_seen");
    if (auto* agent = object->if_contains("agent"); agent != nullptr && agent->is_object()) {
      agent->get_object().erase("last_seen");
    }
  }
  return out;
}

/// The stream of changes, used as a bell alone.
class Bell {
 public:
  explicit Bell(Client& client) : client_(client) { connect(); }

  /// Waits until something changed, or for kRefresh.
  void wait() {
    client_.loop().run_until([this] { return rung_; }, kRefresh);
    if (rung_) client_.loop().run_until([] { return false; }, kBurst);
    rung_ = false;
  }

 private:
  void connect() {
    net::HttpStreamEvents events;
    reader_ = {};
    events.on_head = [this](const net::HttpResponse& head) { up_ = head.status == 200; };
    events.on_chunk = [this](std::string_view chunk) {
      Callback<void(const net::SseEvent&)> sink = [this](const net::SseEvent& event) {
        rung_ = rung_ || event.name == "change";
      };
      if (up_) (void)reader_.feed(chunk, sink);
    };
    events.on_end = [this](const Status&) {
      if (up_) rung_ = true;  // the screen says what became of the daemon
      up_ = false;
      timer_.after(client_.loop(), kReconnect, [this] { connect(); });
    };
    call_ = client_.stream("/api/v1/watch", kReconnect * 5, kSilence, std::move(events));
  }

  Client& client_;
  net::SseReader reader_;
  Timer timer_;
  std::unique_ptr<net::HttpCall> call_;
  bool up_ = false;
  bool rung_ = false;
};

/// One answer of the command.
struct Shot {
  Result<int> code = 0;
  std::string text;
  std::string lines;  ///< JSON lines of what differs
};

class Live {
 public:
  Live(const Invocation& invocation, Surroundings& surroundings)
      : invocation_(invocation), surroundings_(surroundings) {
    const std::string& form = invocation.globals.text("output");
    as_lines_ = !surroundings.out_is_terminal && (form.empty() || form.starts_with("json"));
  }

  Result<int> run() {
    DROVER_TRY(Shot first, shoot());
    if (!first.code) return first.code;
    show(first);
    DROVER_TRY(auto client, Client::make(invocation_.globals, surroundings_));
    // Finds the daemon that is alive, for the stream.
    DROVER_CHECK_OK(client->get("/api/v1/version", kReconnect * 5));
    Bell bell(*client);
    Result<int> code = first.code;
    for (size_t round = 1;
         surroundings_.most_refreshes == 0 || round < surroundings_.most_refreshes; ++round) {
      bell.wait();
      DROVER_TRY(const Shot shot, shoot());
      show(shot);
      code = shot.code;
    }
    return code;
  }

 private:
  Result<Shot> shoot() {
    Given globals = invocation_.globals;
    if (as_lines_) globals.set("output", {"jsonl"});
    DROVER_TRY(auto context, Context::make(globals, surroundings_));
    Shot shot;
    context->redirect([&shot](std::string_view text) { shot.text += text; },
                      [this, &shot](const json::array& items, const ListView& view) {
                        if (as_lines_) shot.lines += difference_.next(items, view);
                      });
    shot.code = invocation_.command->handler(*context, invocation_.given);
    context->report_degraded();
    return shot;
  }

  void show(const Shot& shot) {
    std::string text = shot.text;
    if (!shot.code) text = fmt::format("drover: {}\n", printable(shot.code.error().text(), true));
    if (surroundings_.out_is_terminal) {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(surroundings_.loop.wall());
      const std::string title = fmt::format(
          "drover {}{}{}   {:%H:%M:%S} UTC   Ctrl-C leaves", invocation_.command->noun,
          invocation_.command->verb.empty() ? "" : " ", invocation_.command->verb, seconds);
      surroundings_.out(redraw(title, text, surroundings_.height));
      return;
    }
    if (!shot.code) {
      if (text != last_) surroundings_.err(text);
    } else if (as_lines_) {
      surroundings_.out(shot.lines);
    } else if (text != last_) {
      surroundings_.out(text);
    }
    last_ = text;
  }

  const Invocation& invocation_;
  Surroundings& surroundings_;
  ListDifference difference_;
  bool as_lines_ = false;
  std::string last_;
};

}  // namespace

bool can_be_watched(const Command& command) {
  const auto among = [](const auto& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  return among(kVerbs, command.verb) || (command.verb.empty() && among(kNouns, command.noun));
}

std::string ListDifference::next(const json::array& items, const ListView& view) {
  std::map<std::string, Known, std::less<>> now;
  std::map<std::string, size_t, std::less<>> seen;
  std::string out;
  const auto line = [&out](std::string_view event, std::string_view item) {
    out += fmt::format("{{\"event\":\"{}\",\"item\":{}}}\n", event, item);
  };
  for (const json::value& item : items) {
    const std::string name = text_at(item, view.name_path);
    const std::string key = fmt::format("{}\n{}", name, seen[name]++);  // names may repeat: parts
    Known known{to_text(without_contact(item)), terminal_safe_json(to_text(item))};
    const auto before = known_.find(key);
    if (before == known_.end()) {
      line("added", known.whole);
    } else if (before->second.compared != known.compared) {
      line("changed", known.whole);
    }
    now.emplace(key, std::move(known));
  }
  for (const auto& [key, known] : known_) {
    if (!now.contains(key)) line("removed", known.whole);
  }
  known_ = std::move(now);
  return out;
}

std::string redraw(std::string_view title, std::string_view text, size_t height) {
  std::string out = fmt::format("\x1b[H\x1b[2m{}\x1b[0m\x1b[K\n\x1b[K\n", title);
  // The title and its blank line, and the line on which the cursor rests.
  const size_t room = height < 5 ? SIZE_MAX : height - 3;
  const auto all = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  const size_t shown = all <= room ? all : room - 1;
  for (size_t i = 0; i < shown; ++i) {
    const size_t end = text.find('\n');
    out.append(text.substr(0, end)).append("\x1b[K\n");
    text.remove_prefix(end + 1);
  }
  if (shown < all) out += fmt::format("\x1b[2m.. {} more lines\x1b[0m\x1b[K\n", all - shown);
  return out + "\x1b[J";
}

Result<int> run_live(const Invocation& invocation, Surroundings& surroundings) {
  if (!can_be_watched(*invocation.command)) {
    return fail(Code::invalid_argument,
                fmt::format("--watch is for commands that show something, not for {}{}{}",
                            invocation.command->noun, invocation.command->verb.empty() ? "" : " ",
                            invocation.command->verb),
                "drover watch   follows every change");
  }
  if (surroundings.out_is_terminal) surroundings.out("\x1b[2J");
  return Live(invocation, surroundings).run();
}

}  // namespace drover::cli
