#include "cli/console/attend.hpp"

#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/console/escape_keys.hpp"
#include "cli/console/typing.hpp"
#include "net/http/target.hpp"
#include "net/input_watch.hpp"
#include "net/signal_watch.hpp"
#include "os/terminal.hpp"

#include <csignal>
#include <map>
#include <optional>

#include <fmt/core.h>
#include <unistd.h>

namespace drover::cli {
namespace {

constexpr Duration kHead = std::chrono::seconds(10);
/// The stream says every 10 s that it lives.
constexpr Duration kSilence = std::chrono::seconds(35);
constexpr Duration kFirstRetry = std::chrono::milliseconds(300);
constexpr Duration kLongestRetry = std::chrono::seconds(10);
constexpr Duration kEscape = std::chrono::seconds(1);
/// Silence after which a console has answered what was piped to it.
constexpr Duration kAnswered = std::chrono::seconds(1);

/// What a machine may have left of a terminal's modes: colours, a hidden cursor, the other screen,
/// reports of the mouse, pasting in brackets, another character set. xterm's control sequences.
constexpr std::string_view kTidy =
    "\x1b[0m\x1b[?25h\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?2004l\x1b(B\x0f";

class Attendance {
 public:
  Attendance(Context& context, Client& client, std::string node, bool writes)
      : context_(context),
        client_(client),
        loop_(client.loop()),
        node_(std::move(node)),
        writes_(writes),
        backoff_(kFirstRetry, kLongestRetry),
        typing_(client, node_, [this](const std::string& text) { say(text); }) {}

  Result<int> run() {
    Surroundings& around = context_.surroundings();
    DROVER_TRY(const auto signals,
               net::SignalWatch::make(loop_, {SIGINT, SIGTERM, SIGHUP}, [this](int) { leave(); }));
    std::unique_ptr<os::RawInput> raw;
    std::unique_ptr<net::InputWatch> input;
    if (around.in_is_terminal) {
      DROVER_TRY(raw, os::RawInput::make(STDIN_FILENO, os::RawInput::Mode::transparent));
      DROVER_TRY(input, net::InputWatch::make(loop_, STDIN_FILENO,
                                              [this](std::string_view bytes) { on_input(bytes); }));
      raw_ = true;
      say(fmt::format("{}: Ctrl-E c . leaves, Ctrl-E c ? helps",
                      writes_ ? "typing" : "looking on"));
    } else if (writes_) {
      DROVER_TRY(piped_, around.input());
    }
    connect();
    loop_.run();
    call_.reset();
    typing_.stop();
    if (around.out_is_terminal && said_) around.out(kTidy);
    if (raw_) say("left");
    raw.reset();
    if (refused_) return tl::unexpected<Error>(*refused_);
    return 0;
  }

 private:
  void leave() { loop_.stop(); }

  /// A line of ours between those of the machine.
  void say(const std::string& text) {
    const std::string_view end = raw_ ? "\r\n" : "\n";
    context_.surroundings().err(
        fmt::format("{}[{}: {}]{}", raw_ ? end : "", printable(node_), printable(text), end));
  }

  // --- the stream ---------------------------------------------------------------------------

  void connect() {
    head_ = {};
    partial_.clear();
    typing_.session({});
    const std::string seen = seen_ ? fmt::format("&seen={}", *seen_) : std::string();
    net::HttpStreamEvents events;
    events.on_head = [this](const net::HttpResponse& head) { head_ = head; };
    events.on_chunk = [this](std::string_view chunk) { take(chunk); };
    events.on_end = [this](const Status& status) { ended(status); };
    call_ = client_.stream(fmt::format("/api/v1/nodes/{}/console?mode={}{}",
                                       net::percent_encode(node_), writes_ ? "write" : "spy", seen),
                           kHead, kSilence, std::move(events));
  }

  void take(std::string_view chunk) {
    constexpr size_t kMostProblem = size_t{1} << 16;
    if (head_.status != 200) {
      if (head_.body.size() < kMostProblem) head_.body += chunk;
      return;
    }
    partial_ += chunk;
    size_t from = 0;
    for (size_t at = partial_.find('\n'); at != std::string::npos; at = partial_.find('\n', from)) {
      const auto event = parse_json(std::string_view(partial_).substr(from, at - from));
      from = at + 1;
      if (event) on_event(*event);
    }
    partial_.erase(0, from);
  }

  void on_event(const json::value& event) {
    if (const std::string session = text_at(event, "session"); !session.empty()) {
      backoff_.reset();
      if (std::exchange(broken_, false)) say("the manager is there again");
      typing_.session(session);
    }
    if (const auto* console = find_path(event, "console"); console && console->is_object()) {
      on_console(*console);
    }
    const std::string lost = text_at(event, "lost");
    if (!lost.empty() && lost != "0") say(lost + " bytes were lost: this terminal was too slow");
    if (const auto bytes = from_base64url(text_at(event, "data")); bytes && !bytes->empty()) {
      said_ = true;
      context_.surroundings().out(*bytes);
      if (const auto* end = find_path(event, "end"); end && end->is_number()) {
        seen_ = end->to_number<uint64_t>();
      }
      if (typed_all_) end_after_silence();
    }
    if (const std::string over = text_at(event, "over"); !over.empty()) {
      refused_ = Error{Code::not_found, over, {}, {}};
      leave();
    }
  }

  void on_console(const json::value& console) {
    const std::string state = text_at(console, "state");
    const std::string why = text_at(console, "why");
    if (state != state_ || why != why_) {
      state_ = state;
      why_ = why;
      if (state == "open") {
        say(fmt::format("open by {} to {}", text_at(console, "kind"), text_at(console, "to")));
      } else if (state == "waiting") {
        const std::string next = text_at(console, "next");
        say(fmt::format("not open: {}{}{}; it is tried again", why, next.empty() ? "" : " - ",
                        next));
      } else if (state == "connecting") {
        say("being opened");
      }
    }
    note_people(console);
    if (state_ == "open" && !piped_.empty()) {
      typing_.type(std::exchange(piped_, {}));
      typed_all_ = true;
      end_after_silence();
    } else if (state_ == "open" && piped_ends() && !typed_all_) {
      typed_all_ = true;
      end_after_silence();
    }
  }
  [[nodiscard]] bool piped_ends() const {
    return writes_ && !context_.surroundings().in_is_terminal;
  }
  void end_after_silence() {
    silence_.after(loop_, kAnswered, [this] {
      if (typing_.idle()) return leave();
      end_after_silence();
    });
  }

  /// Who has come and who has gone.
  void note_people(const json::value& console) {
    std::map<std::string, int> now;
    if (const auto* viewers = find_path(console, "viewers"); viewers && viewers->is_array()) {
      for (const json::value& viewer : viewers->get_array()) {
        const bool types = text_at(viewer, "writes") == "true";
        ++now[fmt::format("{} ({})", text_at(viewer, "who"), types ? "typing" : "looking on")];
      }
    }
    people_text_.clear();
    for (const auto& [who, count] : now) {
      const std::string times = count > 1 ? fmt::format(" x{}", count) : "";
      people_text_ += (people_text_.empty() ? "" : ", ") + who + times;
    }
    if (people_ != now && (people_known_ || total(now) > 1)) say("here: " + people_text_);
    people_known_ = true;
    people_ = std::move(now);
  }
  static int total(const std::map<std::string, int>& people) {
    int sum = 0;
    for (const auto& [who, count] : people) sum += count;
    return sum;
  }

  void ended(const Status& status) {
    constexpr int kServerError = 500;
    constexpr int kTooMany = 429;
    const bool refused =
        status && head_.status >= 400 && head_.status < kServerError && head_.status != kTooMany;
    if (refused || (status && head_.status == 501)) {
      refused_ = problem_error(head_);
      return leave();
    }
    const std::string why = !status               ? status.error().text()
                            : head_.status != 200 ? problem_error(head_).text()
                                                  : "closed by the manager";
    if (!std::exchange(broken_, true))
      say("the way to the manager broke: " + why + "; trying again");
    again_.after(loop_, backoff_.next(context_.surroundings().random), [this] { connect(); });
  }

  // --- the keys -----------------------------------------------------------------------------

  void on_input(std::string_view bytes) {
    if (bytes.empty()) return leave();
    take_keys(keys_.feed(bytes));
    if (keys_.waits()) escape_.after(loop_, kEscape, [this] { take_keys(keys_.pause()); });
  }

  void take_keys(const std::vector<ConsoleKey>& keys) {
    for (const ConsoleKey& key : keys) take_key(key);
  }

  void take_key(const ConsoleKey& key) {
    using Kind = ConsoleKey::Kind;
    switch (key.kind) {
      case Kind::typed:
        return type(key.text);
      case Kind::leave:
        return leave();
      case Kind::help:
        return help();
      case Kind::who:
        return say("here: " + people_text_);
      case Kind::spy:
      case Kind::write:
        return change_mode(key.kind == Kind::write);
      case Kind::send_break:
        if (!writes_) return say("looking on only: Ctrl-E c a lets you type");
        typing_.send_break();
        return say("break");
      case Kind::unknown:
        return say("no such key: Ctrl-E c ? helps");
    }
  }

  void type(const std::string& text) {
    if (writes_) return typing_.type(text);
    if (text.find('\x03') != std::string::npos) return leave();
    if (!std::exchange(warned_, true)) {
      say("looking on only: Ctrl-E c a lets you type, Ctrl-C or Ctrl-E c . leaves");
    }
  }

  void help() {
    std::string_view rest = console_help();
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      say(std::string(rest.substr(0, end)));
      rest.remove_prefix(end + 1);
    }
  }

  /// As another viewer: the right to type is asked for anew.
  void change_mode(bool writes) {
    if (writes == writes_) return say(writes ? "you type already" : "you look on already");
    writes_ = writes;
    warned_ = false;
    say(writes ? "typing" : "looking on");
    call_.reset();
    connect();
  }

  Context& context_;
  Client& client_;
  net::Loop& loop_;
  std::string node_;
  bool writes_;
  bool raw_ = false;
  Backoff backoff_;
  std::unique_ptr<net::HttpCall> call_;
  net::HttpResponse head_;
  std::string partial_;
  Timer again_;
  bool broken_ = false;
  std::optional<uint64_t> seen_;
  bool said_ = false;  ///< the machine has written to the terminal
  std::string state_;
  std::string why_;
  std::map<std::string, int> people_;
  std::string people_text_;
  bool people_known_ = false;
  EscapeKeys keys_;
  Timer escape_;
  bool warned_ = false;
  std::string piped_;
  bool typed_all_ = false;
  Timer silence_;
  std::optional<Error> refused_;
  Typing typing_;
};

}  // namespace

Result<int> attend_console(Context& context, const std::string& node, bool writes) {
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  return Attendance(context, *client, node, writes).run();
}

}  // namespace drover::cli
