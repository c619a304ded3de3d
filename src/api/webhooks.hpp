// Where notifications go that people asked for by a URL.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"
#include "net/net.hpp"

#include <string>
#include <string_view>

namespace drover::api {

/// Where a URL leads.
struct WebhookUrl {
  net::Endpoint endpoint;
  std::string path = "/";  ///< with its query
  bool secure = false;     ///< https
};
/// invalid_argument for what is not http://HOST[:PORT]/PATH or https://.., without blanks and
/// control characters. The ports are 80 and 443 where none is given.
Result<WebhookUrl> parse_webhook_url(std::string_view url);

/// Executor's thread only.
class Webhooks {
 public:
  Webhooks() = default;
  Webhooks(const Webhooks&) = delete;
  Webhooks& operator=(const Webhooks&) = delete;
  virtual ~Webhooks() = default;
  /// Posts JSON to a URL that parse_webhook_url() takes. `done` runs once, never in here: ok for a
  /// 2xx.
  virtual void post(const std::string& url, std::string body, Callback<void(Status)> done) = 0;
};

}  // namespace drover::api
