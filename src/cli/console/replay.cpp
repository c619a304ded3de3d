// drover console --replay: a recording, at the pace at which it was made.
#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "cli/boot/stream.hpp"
#include "cli/bulk.hpp"
#include "cli/console/attend.hpp"
#include "net/http/target.hpp"
#include "net/signal_watch.hpp"

#include <csignal>
#include <deque>

#include <fmt/core.h>

namespace drover::cli {
namespace {

constexpr Duration kLongestSilence = std::chrono::seconds(2);

class Replay {
 public:
  Replay(Context& context, Client& client, std::string path, double speed)
      : context_(context),
        client_(client),
        speed_(speed),
        stream_(client, {[path = std::move(path)] { return path; },
                         [this](const json::value& event, const net::SseEvent&) { take(event); },
                         [this](bool there, const std::string& why) {
                           if (!there) broke(why);
                         }}) {}

  Result<int> run() {
    DROVER_TRY(const auto signals, net::SignalWatch::make(client_.loop(), {SIGINT, SIGTERM, SIGHUP},
                                                          [this](int) { client_.loop().stop(); }));
    stream_.connect();
    client_.loop().run();
    if (stream_.refused()) return tl::unexpected<Error>(*stream_.refused());
    if (broken_) return tl::unexpected<Error>(*std::move(broken_));
    return 0;
  }

 private:
  struct Piece {
    WallTime time{};
    std::string bytes;
  };

  void take(const json::value& event) {
    if (text_at(event, "end") == "true") {
      stream_.finish();
      whole_ = true;
      return play();
    }
    const auto time = from_rfc3339(text_at(event, "time"));
    const auto bytes = from_base64url(text_at(event, "data"));
    if (time && bytes && !bytes->empty()) pieces_.push_back({*time, *bytes});
  }
  void broke(const std::string& why) {
    if (whole_) return;
    broken_ = Error{Code::unreachable, "the recording broke off: " + why, {}, "ask again"};
    stream_.finish();
    client_.loop().stop();
  }

  void play() {
    while (!pieces_.empty()) {
      const Duration wait = due(pieces_.front().time);
      if (wait > Duration::zero()) {
        timer_.after(client_.loop(), wait, [this] {
          at_ = pieces_.front().time;
          play();
        });
        return;
      }
      at_ = pieces_.front().time;
      context_.surroundings().out(pieces_.front().bytes);
      pieces_.pop_front();
    }
    client_.loop().stop();
  }
  /// How long it stays silent before what was said then.
  [[nodiscard]] Duration due(WallTime time) const {
    if (speed_ <= 0 || at_ == WallTime{} || time <= at_) return {};
    const std::chrono::duration<double, std::nano> gap(time - at_);
    return std::min(kLongestSilence, std::chrono::duration_cast<Duration>(gap / speed_));
  }

  Context& context_;
  Client& client_;
  double speed_;
  ApiStream stream_;
  std::deque<Piece> pieces_;
  WallTime at_{};  ///< of what was played last
  bool whole_ = false;
  Timer timer_;
  std::optional<Error> broken_;
};

}  // namespace

Result<int> replay_console(Context& context, const std::string& node, const std::string& since,
                           const std::string& until, double speed) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  std::string path = fmt::format("/api/v1/nodes/{}/console/recording", net::percent_encode(node));
  if (!since.empty()) path = with_query(std::move(path), "since", since);
  if (!until.empty()) path = with_query(std::move(path), "until", until);
  return Replay(context, *client, std::move(path), speed).run();
}

}  // namespace drover::cli
