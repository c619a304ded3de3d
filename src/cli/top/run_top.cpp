#include "cli/top/run_top.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/changes.hpp"
#include "cli/top/board.hpp"
#include "cli/top/reading.hpp"
#include "net/http/sse.hpp"
#include "net/http/target.hpp"
#include "net/input_watch.hpp"
#include "net/loop.hpp"
#include "net/signal_watch.hpp"
#include "os/terminal.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/core.h>
#include <unistd.h>

namespace drover::cli::top {
namespace {

/// What the list shows, so that a large cluster's answer stays small.
constexpr std::string_view kNodeFields = "name,role,phase,service.state,agent.primary,summary.cpus";
constexpr std::string_view kMetricFields =
    "node,stale,metrics.load_1m,metrics.memory_used_bytes,metrics.memory_total_bytes,"
    "metrics.cpu_idle_percent,metrics.cpu_iowait_percent";

constexpr Duration kTick = std::chrono::seconds(1);
/// Between two readings: never less, and more on a cluster that takes long to read, so that looking
/// at it does not load it.
constexpr Duration kRefresh = std::chrono::seconds(2);
constexpr int kRefreshShare = 10;
constexpr Duration kBurst = std::chrono::milliseconds(250);
constexpr Duration kReconnect = std::chrono::seconds(1);
constexpr Duration kSilence = std::chrono::seconds(40);
/// An escape key comes alone; a sequence comes at once.
constexpr Duration kEscape = std::chrono::milliseconds(40);

/// The screen of one's own, and the cursor out of sight, while it lives.
class Screen {
 public:
  explicit Screen(Surroundings& surroundings) : surroundings_(surroundings) {
    surroundings_.out("\x1b[?1049h\x1b[?25l\x1b[2J");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { surroundings_.out("\x1b[?25h\x1b[?1049l"); }

 private:
  Surroundings& surroundings_;
};

class Top {
 public:
  Top(Context& context, Client& client)
      : context_(context), client_(client), loop_(client.loop()) {}

  Result<int> run() {
    DROVER_TRY(const auto signals,
               net::SignalWatch::make(loop_, {SIGWINCH, SIGINT, SIGTERM},
                                      [this](int signal) { on_signal(signal); }));
    DROVER_TRY(const auto input,
               net::InputWatch::make(loop_, STDIN_FILENO,
                                     [this](std::string_view bytes) { on_bytes(bytes); }));
    follow();
    const Screen screen(context_.surroundings());
    while (!leave_) {
      if (loop_.now() >= next_reading_) read();
      show();
      if (leave_) break;
      const Duration wait = std::clamp(next_reading_ - loop_.now(), Duration::zero(), kTick);
      loop_.run_until([this] { return leave_ || stale_; }, wait);
      stale_ = false;
    }
    return 0;
  }

 private:
  void on_signal(int signal) {
    if (signal != SIGWINCH) leave_ = true;
    stale_ = true;
  }

  void on_bytes(std::string_view bytes) {
    if (bytes.empty()) {
      leave_ = true;
      return;
    }
    take_keys(keys_.feed(bytes));
    if (keys_.waits()) escape_.after(loop_, kEscape, [this] { take_keys(keys_.pause()); });
  }

  void take_keys(const std::vector<Key>& keys) {
    for (const Key& key : keys) {
      if (!board_.on_key(key)) leave_ = true;
    }
    if (board_.wanted_node() != detailed_) next_reading_ = loop_.now();
    stale_ = true;
  }

  /// What the daemon says now. Keys are taken meanwhile.
  void read() {
    const MonoTime began = loop_.now();
    detailed_ = board_.wanted_node();
    if (const Status status = ask(); !status) {
      board_.take_trouble("what is shown is old: " + printable(status.error().text()));
    } else {
      board_.take_trouble({});
    }
    next_reading_ = loop_.now() + std::max(kRefresh, (loop_.now() - began) * kRefreshShare);
  }

  Status ask() {
    const Duration patience = context_.timeout();
    if (detailed_) {
      DROVER_TRY(const json::value node,
                 client_.get("/api/v1/nodes/" + net::percent_encode(*detailed_), patience));
      board_.take_details(details_of(node));
    }
    DROVER_TRY(const json::value health, client_.get("/api/v1/health", patience));
    DROVER_TRY(const json::array nodes,
               client_.list(fmt::format("/api/v1/nodes?fields={}", kNodeFields), patience));
    DROVER_TRY(const json::array metrics,
               client_.list(fmt::format("/api/v1/metrics?fields={}", kMetricFields), patience));
    board_.take(read_answers(health, nodes, metrics));
    return {};
  }

  void show() {
    auto size = os::terminal_size(STDOUT_FILENO);
    if (size.width == 0 || size.height == 0) size = {80, 24};
    Frame frame = board_.frame(size.width, size.height, loop_.wall());
    frame.rows.resize(std::min(frame.rows.size(), size.height));
    frame.width = size.width;
    context_.surroundings().out(draw(frame, last_, context_.output().colour));
    last_ = std::move(frame);
  }

  /// The change log, live.
  void follow() {
    reader_ = {};
    net::HttpStreamEvents events;
    events.on_head = [this](const net::HttpResponse& head) { following_ = head.status == 200; };
    events.on_chunk = [this](std::string_view chunk) {
      Callback<void(const net::SseEvent&)> sink = [this](const net::SseEvent& event) {
        on_event(event);
      };
      if (following_) (void)reader_.feed(chunk, sink);
    };
    events.on_end = [this](const Status&) {
      following_ = false;
      again_.after(loop_, kReconnect, [this] { follow(); });
    };
    call_ = client_.stream("/api/v1/watch", kReconnect * 5, kSilence, std::move(events));
  }

  void on_event(const net::SseEvent& event) {
    if (event.name != "change") return;
    const auto change = parse_json(event.data);
    if (!change) return;
    std::string line = change_line(*change, false);
    while (line.ends_with('\n')) line.pop_back();
    board_.take_change(std::move(line));
    next_reading_ = std::min(next_reading_, loop_.now() + kBurst);
    stale_ = true;
  }

  Context& context_;
  Client& client_;
  net::Loop& loop_;
  Board board_;
  Frame last_;
  KeyReader keys_;
  Timer escape_;
  net::SseReader reader_;
  Timer again_;
  std::unique_ptr<net::HttpCall> call_;
  bool following_ = false;
  std::optional<std::string> detailed_;
  MonoTime next_reading_{};
  bool stale_ = false;
  bool leave_ = false;
};

}  // namespace

Result<int> run_top(Context& context) {
  if (!context.surroundings().out_is_terminal) {
    return fail(Code::unsupported, "drover top draws on a terminal, and the output is none",
                "drover node list --watch   writes JSON lines");
  }
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  DROVER_TRY(const auto raw, os::RawInput::make(STDIN_FILENO));
  return Top(context, *client).run();
}

}  // namespace drover::cli::top
