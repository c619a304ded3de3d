// A GET with a range that begins where the last connection ended.
#include "nodeboot/image_fetch.hpp"

#include "base/text.hpp"

#include <charconv>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

constexpr Duration kHeadTimeout = std::chrono::seconds(15);
constexpr Duration kSilence = std::chrono::seconds(10);
constexpr Duration kTellEvery = std::chrono::milliseconds(250);
constexpr Duration kRetry = std::chrono::seconds(1);
constexpr int kMostUseless = 5;

uint64_t content_length(const net::HttpResponse& head) {
  uint64_t out = 0;
  const std::string_view text = head.headers.get("Content-Length").value_or("");
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

Source Source::blob(const BootCommand& command, const std::string& sha256) {
  return {*command.http, fmt::format("/boot/blobs/{}?t={}", sha256, command.token), sha256};
}

ImageFetch::ImageFetch(Executor& executor, net::Net& net, ImageSink& sink, Source source,
                       Events events)
    : executor_(executor),
      client_(executor, net),
      sink_(sink),
      source_(std::move(source)),
      events_(std::move(events)) {}

ImageFetch::~ImageFetch() {
  *alive_ = false;
}

void ImageFetch::start() {
  if (Status begun = sink_.begin(); !begun) {
    executor_.post([this, alive = alive_, begun = std::move(begun)]() mutable {
      if (*alive) end(std::move(begun));
    });
    return;
  }
  ask();
}

void ImageFetch::ask() {
  net::HttpRequest request;
  request.target = source_.target;
  if (done_ > 0) request.headers.add("Range", fmt::format("bytes={}-", done_));
  done_before_ = done_;
  call_ = client_.stream(source_.from, nullptr, std::move(request), kHeadTimeout, kSilence,
                         {[this](const net::HttpResponse& head) { on_head(head); },
                          [this](std::string_view bytes) { on_chunk(bytes); },
                          [this](const Status& how) { on_end(how); }});
}

void ImageFetch::on_head(const net::HttpResponse& head) {
  const int wanted = done_ > 0 ? 206 : 200;
  if (head.status == wanted) {
    total_ = done_ + content_length(head);
    return;
  }
  // A server without ranges gives all from the start again.
  if (done_ > 0 && head.status == 200) {
    done_ = done_before_ = 0;
    total_ = content_length(head);
    if (Status begun = sink_.begin(); !begun) end(std::move(begun));
    return;
  }
  const Code code = head.status == 404                         ? Code::not_found
                    : head.status == 401 || head.status == 403 ? Code::denied
                                                               : Code::unreachable;
  end(fail(code, fmt::format("drover-boot answered {} {} for the {}", head.status,
                             net::reason_phrase(head.status), source_.what)));
}

void ImageFetch::on_chunk(std::string_view bytes) {
  if (Status added = sink_.add(bytes); !added) return end(std::move(added));
  done_ += bytes.size();
  if (executor_.now() - told_ < kTellEvery) return;
  told_ = executor_.now();
  events_.on_progress(done_, total_);
}

void ImageFetch::on_end(const Status& how) {
  if (!how) {
    useless_ = done_ > done_before_ ? 0 : useless_ + 1;
    if (useless_ >= kMostUseless) return end(tl::unexpected(how.error()));
    // The call is over; it may not be destroyed by a new one in its own event.
    retry_.after(executor_, kRetry, [this] { ask(); });
    return;
  }
  auto digest = sink_.finish();
  if (!digest) return end(tl::unexpected(std::move(digest).error()));
  if (!source_.sha256.empty() && *digest != source_.sha256) {
    return end(fail(Code::corrupt,
                    fmt::format("the {} that came has SHA-256 {}, wanted was {}", source_.what,
                                *digest, source_.sha256),
                    "drover image show IMAGE"));
  }
  events_.on_progress(done_, total_);
  end({});
}

/// The last thing to do in any function.
void ImageFetch::end(Status how) {
  retry_.cancel();
  const auto done = std::move(call_);  // dropped at the end: this may run inside it
  if (auto on_end = std::exchange(events_.on_end, nullptr)) on_end(std::move(how));
}

}  // namespace drover::nodeboot
