// Posts notifications over HTTP and HTTPS.
#pragma once

#include "api/webhooks.hpp"
#include "daemons/seams.hpp"
#include "net/http/http_client.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace drover::daemons {

/// Executor's thread only. HTTPS is TLS 1.3; the server's certificate must be for the URL's host
/// and chain to the CAs in `trust_path`. Ten seconds each.
class WebhookPoster final : public api::Webhooks {
 public:
  WebhookPoster(Seams seams, std::string trust_path);
  void post(const std::string& url, std::string body, Callback<void(Status)> done) override;

 private:
  struct Post {
    std::unique_ptr<net::HttpCall> call;
    Callback<void(Status)> done;
  };
  Result<std::unique_ptr<net::HttpCall>> start(const std::string& url, std::string body,
                                               uint64_t id);
  void finish(uint64_t id, Status status);

  Seams seams_;
  std::string trust_path_;
  net::HttpClient client_;
  std::map<uint64_t, Post> posts_;
  uint64_t last_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::daemons
