#include "api/boot_fan.hpp"

#include "api/problem.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr int kOk = 200;
/// A line of theirs is a line of a log and its frame.
constexpr size_t kLongestLine = size_t{64} << 10;

/// What a daemon said in place of an answer.
Error refusal(int status, std::string_view body) {
  const auto problem = decode_text<ProblemDocument>(body, Unknown::ignore);
  const Code code = status == 400 ? Code::invalid_argument : Code::unreachable;
  return {
      code, problem ? problem->detail : fmt::format("it answered with status {}", status), {}, {}};
}

}  // namespace

struct BootFan::Way {
  size_t index = 0;
  int status = 0;
  std::string partial;
  bool ended = false;
  std::unique_ptr<net::HttpCall> call;
};

BootFan::BootFan(BootDaemons& daemons, std::string_view target, const std::string& body,
                 Events events)
    : events_(std::move(events)) {
  for (const BootDaemons::Known& daemon : daemons.known()) {
    if (daemon.linked) names_.push_back(daemon.name);
  }
  for (const std::string& name : names_) {
    ways_.push_back(std::make_unique<Way>());
    Way& way = *ways_.back();
    way.index = ways_.size() - 1;
    net::HttpStreamEvents heard;
    heard.on_head = [&way](const net::HttpResponse& head) { way.status = head.status; };
    heard.on_chunk = [this, &way](std::string_view chunk) { take(way, chunk); };
    heard.on_end = [this, &way](Status status) { end(way, std::move(status)); };
    net::HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.headers.add("Content-Type", "application/json");
    request.body = body;
    way.call = daemons.ask(name, std::move(request), std::move(heard));
  }
}

BootFan::~BootFan() = default;

void BootFan::pause(size_t daemon, bool paused) {
  if (ways_.at(daemon)->call) ways_[daemon]->call->pause(paused);
}

void BootFan::take(Way& way, std::string_view chunk) {
  way.partial += chunk;
  if (way.status != kOk) return;
  const std::weak_ptr<bool> alive = alive_;
  // The text is held here, as the owner may let go of this in any line.
  const std::string text = std::move(way.partial);
  way.partial.clear();
  size_t from = 0;
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', from)) {
    events_.on_line(way.index, std::string_view(text).substr(from, at - from));
    if (alive.expired()) return;
    from = at + 1;
  }
  way.partial = text.substr(from);
  if (way.partial.size() > kLongestLine) {
    end(way, fail(Code::corrupt, "it sent a line that never ends"));
  }
}

void BootFan::end(Way& way, Status status) {
  if (std::exchange(way.ended, true)) return;
  if (status && way.status != kOk) status = tl::unexpected(refusal(way.status, way.partial));
  if (!status && status.error().code == Code::unreachable && way.status == 0) {
    status = tl::unexpected(
        Error{Code::unreachable, "it does not answer: " + status.error().text(), {}, {}});
  }
  events_.on_end(way.index, status);
}

}  // namespace drover::api
