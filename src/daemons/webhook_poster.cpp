#include "daemons/webhook_poster.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr size_t kLongestTrust = size_t{4} << 20;
/// Nobody reads what a receiver says.
constexpr size_t kMostAnswer = size_t{64} << 10;

Status status_of(const Result<net::HttpResponse>& response) {
  if (!response) return tl::unexpected<Error>(response.error());
  if (response->status >= 200 && response->status < 300) return {};
  return fail(Code::unreachable, fmt::format("it answered {}", response->status));
}

}  // namespace

WebhookPoster::WebhookPoster(Seams seams, std::string trust_path)
    : seams_(seams), trust_path_(std::move(trust_path)), client_(seams.executor, seams.net) {}

void WebhookPoster::post(const std::string& url, std::string body, Callback<void(Status)> done) {
  const uint64_t id = ++last_;
  posts_[id].done = std::move(done);
  auto started = start(url, std::move(body), id);
  if (started) {
    posts_[id].call = *std::move(started);
    return;
  }
  seams_.executor.post([this, id, error = started.error(), alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) finish(id, tl::unexpected<Error>(error));
  });
}

Result<std::unique_ptr<net::HttpCall>> WebhookPoster::start(const std::string& url,
                                                            std::string body, uint64_t id) {
  DROVER_TRY(const api::WebhookUrl place, api::parse_webhook_url(url));
  std::shared_ptr<net::Security> security;
  if (place.secure) {
    net::SecurityConfig config;
    config.peer_name = place.endpoint.host;
    auto trust = seams_.disk.read_all(trust_path_, kLongestTrust);
    if (!trust) {
      return fail_in(fmt::format("reading the CAs in {}", trust_path_), std::move(trust).error());
    }
    config.trust_pem = *std::move(trust);
    DROVER_TRY(security, seams_.net.make_security(config));
  }
  net::HttpRequest request;
  request.method = "POST";
  request.target = place.path;
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  return client_.request(
      place.endpoint, std::move(security), std::move(request), kTimeout,
      [this, id](const Result<net::HttpResponse>& response) { finish(id, status_of(response)); },
      kMostAnswer);
}

void WebhookPoster::finish(uint64_t id, Status status) {
  const auto found = posts_.find(id);
  if (found == posts_.end()) return;
  Post post = std::move(found->second);
  posts_.erase(found);
  // We are inside the call's own event: it goes after it.
  seams_.executor.post([held = std::move(post.call)]() mutable { held.reset(); });
  post.done(std::move(status));
}

}  // namespace drover::daemons
