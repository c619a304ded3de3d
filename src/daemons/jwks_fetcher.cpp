#include "daemons/jwks_fetcher.hpp"

#include "auth/jwk.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::daemons {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr size_t kLongestTrust = size_t{4} << 20;

Result<std::string> document_of(const Result<net::HttpResponse>& response) {
  if (!response) return tl::unexpected<Error>(response.error());
  if (response->status == 200) return response->body;
  return fail(Code::unreachable, fmt::format("its server answered {}", response->status),
              "check the issuer's jwks_url");
}

}  // namespace

Result<HttpsUrl> parse_https_url(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) {
    return fail(Code::invalid_argument,
                fmt::format("'{}' is not https://HOST[:PORT]/PATH", printable(url)));
  }
  url.remove_prefix(kScheme.size());
  const size_t slash = std::min(url.find_first_of("/?"), url.size());
  const std::string_view authority = url.substr(0, slash);
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  HttpsUrl out;
  DROVER_TRY(out.endpoint, net::Endpoint::parse(has_port ? std::string(authority)
                                                         : fmt::format("{}:443", authority)));
  if (out.endpoint.host.empty()) {
    return fail(Code::invalid_argument, "the URL names no host");
  }
  const std::string_view rest = url.substr(slash);
  out.path = fmt::format("{}{}", rest.starts_with('/') ? "" : "/", rest);
  return out;
}

JwksFetcher::JwksFetcher(Seams seams, std::string trust_path)
    : seams_(seams), trust_path_(std::move(trust_path)), client_(seams.executor, seams.net) {}

void JwksFetcher::fetch(const auth::IssuerRecord& issuer,
                        Callback<void(Result<std::string>)> done) {
  const uint64_t id = ++last_;
  Fetch& fetch = fetches_[id];
  fetch.done = std::move(done);
  auto started = start(issuer, id);
  if (started) {
    fetch.call = *std::move(started);
    return;
  }
  seams_.executor.post([this, id, error = started.error(), alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) finish(id, tl::unexpected<Error>(error));
  });
}

Result<std::unique_ptr<net::HttpCall>> JwksFetcher::start(const auth::IssuerRecord& issuer,
                                                          uint64_t id) {
  DROVER_TRY(const HttpsUrl url, parse_https_url(issuer.jwks_url));
  net::SecurityConfig security;
  security.trust_pem = issuer.ca_pem;
  security.peer_name = url.endpoint.host;
  if (security.trust_pem.empty()) {
    auto trust = seams_.disk.read_all(trust_path_, kLongestTrust);
    if (!trust) {
      return fail_in(fmt::format("reading the CAs in {}", trust_path_), std::move(trust).error());
    }
    security.trust_pem = *std::move(trust);
  }
  DROVER_TRY(auto made, seams_.net.make_security(security));
  net::HttpRequest request;
  request.target = url.path;
  request.headers.set("Accept", "application/json");
  return client_.request(
      url.endpoint, std::move(made), std::move(request), kTimeout,
      [this, id](const Result<net::HttpResponse>& response) { finish(id, document_of(response)); },
      auth::kMaxJwks);
}

void JwksFetcher::finish(uint64_t id, Result<std::string> document) {
  const auto found = fetches_.find(id);
  if (found == fetches_.end()) return;
  Fetch fetch = std::move(found->second);
  fetches_.erase(found);
  // We are inside the call's own event: it goes after it.
  seams_.executor.post([held = std::move(fetch.call)]() mutable { held.reset(); });
  fetch.done(std::move(document));
}

}  // namespace drover::daemons
