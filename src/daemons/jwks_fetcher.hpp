// Fetches issuers' key sets over HTTPS.
#pragma once

#include "auth/issuer_record.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"
#include "daemons/seams.hpp"
#include "net/http/http_client.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace drover::daemons {

/// Executor's thread only. TLS 1.3; the server's certificate must be for the URL's host and chain
/// to the issuer's own CAs or, where it names none, to those in `trust_path`.
class JwksFetcher {
 public:
  JwksFetcher(Seams seams, std::string trust_path);

  /// `done` runs once, never in here: the document (at most auth::kMaxJwks), or why there is none.
  void fetch(const auth::IssuerRecord& issuer, Callback<void(Result<std::string>)> done);

 private:
  Result<std::unique_ptr<net::HttpCall>> start(const auth::IssuerRecord& issuer, uint64_t id);
  void finish(uint64_t id, Result<std::string> document);

  struct Fetch {
    std::unique_ptr<net::HttpCall> call;
    Callback<void(Result<std::string>)> done;
  };
  Seams seams_;
  std::string trust_path_;
  net::HttpClient client_;
  std::map<uint64_t, Fetch> fetches_;
  uint64_t last_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Host, port (443 where none is given) and path of an https:// URL.
struct HttpsUrl {
  net::Endpoint endpoint;
  std::string path = "/";
};
Result<HttpsUrl> parse_https_url(std::string_view url);

}  // namespace drover::daemons
