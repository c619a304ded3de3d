// Readable: wait a moment, read, post, and listen again when it was taken.
#include "nodeboot/log_forwarder.hpp"

#include <algorithm>

namespace drover::nodeboot {
namespace {

constexpr Duration kFirstRetry = std::chrono::milliseconds(500);
constexpr Duration kLongestRetry = std::chrono::seconds(15);

void leave_out(const std::string& secret, std::string& text) {
  if (secret.empty()) return;
  for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
  }
}

}  // namespace

Status LogForwarder::start() {
  DROVER_TRY(watch_, net::ReadableWatch::make(loop_, log_.fd(), [this] { gather(); }));
  return {};
}

void LogForwarder::gather() {
  watch_->pause(true);
  gathering_.after(loop_, kGather, [this] { post(); });
}

void LogForwarder::post() {
  if (posting_) return;
  gathering_.cancel();
  if (batch_.empty()) {
    (void)log_.read(batch_, kBatch);
    leave_out(secret_, batch_);
  }
  if (batch_.empty()) {
    watch_->pause(false);
    return settle_flush();
  }
  posting_ = true;
  client_.log(batch_, [this, alive = alive_](const Status& how) {
    if (*alive) posted(how);
  });
}

void LogForwarder::posted(const Status& how) {
  posting_ = false;
  if (how) {
    failures_ = 0;
    batch_.clear();
    sent_ = log_.next();
    if (flushed_) return post();
    watch_->pause(false);
    return;
  }
  // Refused for good: it is not tried for ever. A new boot is listened to again.
  if (how.error().code == Code::denied) {
    batch_.clear();
    return settle_flush();
  }
  const Duration wait = std::min(kFirstRetry * (1 << std::min(failures_++, 5)), kLongestRetry);
  gathering_.after(loop_, wait, [this] { post(); });
}

void LogForwarder::flush(Duration limit, Callback<void()> done) {
  flushed_ = std::move(done);
  limit_.after(loop_, limit, [this] { settle_flush(); });
  post();
}

void LogForwarder::settle_flush() {
  limit_.cancel();
  if (auto done = std::exchange(flushed_, nullptr)) done();
}

}  // namespace drover::nodeboot
