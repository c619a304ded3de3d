// drover watch: changes as they happen, without a gap when the connection breaks.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "cli/changes.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/sse.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// The server sends a bookmark each 15 s; silence for this long means that the path is dead.
constexpr Duration kSilence = std::chrono::seconds(40);
constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(5);

/// Follows the stream; on a break it connects again and asks for what came after the last id.
class Watcher {
 public:
  Watcher(Context& context, Client& client, std::string filter, std::optional<uint64_t> since,
          uint64_t count)
      : context_(context),
        client_(client),
        filter_(std::move(filter)),
        last_(since),
        left_(count == 0 ? UINT64_MAX : count) {}

  Result<int> run() {
    connect();
    client_.loop().run();
    if (error_) return tl::unexpected(*std::move(error_));
    return 0;
  }

 private:
  void connect() {
    reader_ = {};
    response_ = {};
    std::string path = "/api/v1/watch";
    if (last_) path += fmt::format("?since={}", *last_);
    net::HttpStreamEvents events;
    events.on_head = [this](const net::HttpResponse& head) { response_ = head; };
    events.on_chunk = [this](std::string_view chunk) { take(chunk); };
    events.on_end = [this](Status end) { on_end(std::move(end)); };
    call_ = client_.stream(path, context_.timeout(), kSilence, std::move(events));
  }

  void take(std::string_view chunk) {
    constexpr size_t kMaxProblem = size_t{1} << 20;
    if (response_.status != 200) {
      if (response_.body.size() < kMaxProblem) response_.body += chunk;
      return;
    }
    if (!connected_ && broken_) context_.warn("watch: connected again, nothing was missed");
    connected_ = true;
    broken_ = false;
    pause_ = kFirstPause;
    Callback<void(const net::SseEvent&)> sink = [this](const net::SseEvent& event) {
      on_event(event);
    };
    if (const Status fed = reader_.feed(chunk, sink); !fed) finish(fed.error());
  }

  void on_event(const net::SseEvent& event) {
    if (left_ == 0) return;
    uint64_t id = 0;
    const auto [end, error] =
        std::from_chars(event.id.data(), event.id.data() + event.id.size(), id);
    const bool has_id = error == std::errc{} && end == event.id.data() + event.id.size();
    if (event.name == "problem") {
      // The server says why it is about to cut the stream.
      net::HttpResponse problem;
      problem.status = 500;
      problem.body = event.data;
      const Error why = problem_error(problem);
      if (why.code != Code::exhausted && why.code != Code::unreachable) finish(why);
      return;
    }
    if (event.name == "change") {
      if (has_id && last_ && id <= *last_) return;  // sent twice over a break
      const auto change = parse_json(event.data);
      if (!change) {
        finish(fail_in("reading the stream", change.error()).value());
        return;
      }
      if (change_matches(*change, filter_)) show(*change);
    }
    if (has_id) last_ = last_ ? std::max(*last_, id) : id;
    if (left_ == 0) finish({});
  }

  void show(const json::value& change) {
    --left_;
    switch (context_.output().format) {
      case Format::json:
      case Format::jsonl:
        context_.print(terminal_safe_json(to_text(change)) + "\n");
        return;
      case Format::yaml:
        context_.print("---\n" + to_yaml(change));
        return;
      default:
        context_.print(change_line(change, context_.output().colour));
    }
  }

  void on_end(Status end) {
    if (response_.status >= 400 && end) {
      const Error problem = problem_error(response_);
      // The server's own refusals are final; an overload or a proxy's error may pass.
      if (response_.status < 500 || !was_up_) {
        finish(problem);
        return;
      }
      end = tl::unexpected(problem);
    }
    was_up_ = was_up_ || connected_;
    if (!was_up_ && !end) {
      Error error = std::move(end).error();
      error.context = "watching " + client_.server_text();
      finish(std::move(error));
      return;
    }
    was_up_ = true;
    connected_ = false;
    if (!broken_) {
      context_.warn(fmt::format("watch: connection lost ({}); going on{}",
                                end ? "closed by the server" : end.error().text(),
                                last_ ? fmt::format(" after #{}", *last_) : ""));
    }
    broken_ = true;
    timer_.after(client_.loop(), pause_, [this] { connect(); });
    pause_ = std::min(pause_ * 2, kLongestPause);
  }

  void finish(std::optional<Error> error) {
    left_ = 0;
    error_ = std::move(error);
    timer_.cancel();
    client_.loop().stop();
  }

  Context& context_;
  Client& client_;
  std::string filter_;
  std::optional<uint64_t> last_;
  uint64_t left_;
  net::SseReader reader_;
  net::HttpResponse response_;
  bool connected_ = false;  ///< this connection has delivered
  bool was_up_ = false;     ///< some connection has
  bool broken_ = false;     ///< the loss was told
  Duration pause_ = kFirstPause;
  Timer timer_;
  std::optional<Error> error_;
  std::unique_ptr<net::HttpCall> call_;
};

Result<std::optional<uint64_t>> number_of(const Given& given, const std::string& name) {
  if (!given.has(name)) return std::nullopt;
  const std::string& text = given.text(name);
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Code::invalid_argument,
                fmt::format("--{}: expected a number, not \"{}\"", name, printable(text)));
  }
  return out;
}

Result<int> watch(Context& context, const Given& given) {
  DROVER_TRY(const auto since, number_of(given, "since"));
  DROVER_TRY(const auto count, number_of(given, "count"));
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  return Watcher(context, *client, given.text("what"), since, count.value_or(0)).run();
}

}  // namespace

std::vector<Command> watch_commands() {
  return {{"watch",
           "",
           "Show changes as they happen; goes on by itself when the connection breaks",
           {{"what", Kind::optional, "KIND or KIND/KEY, such as node/n1 [everything]"},
            {"since", Kind::option, "Begin after this sequence number [now]"},
            {"count", Kind::option, "Leave after so many changes"}},
           {"drover watch", "drover watch node --since 1042", "drover watch node/n1 --count 1",
            "drover watch -o jsonl | jq .key"},
           watch}};
}

}  // namespace drover::cli
