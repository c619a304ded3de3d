#include "daemons/local_api.hpp"

#include "auth/caller_header.hpp"
#include "base/json_values.hpp"

#include <fmt/core.h>

namespace drover::daemons {
namespace {

constexpr Duration kDefaultTimeout = std::chrono::seconds(30);
constexpr Duration kLongestTimeout = std::chrono::hours(1);
/// A watch sends a bookmark every 15 s: three missed ones mean that the way is gone.
constexpr Duration kStreamSilence = std::chrono::seconds(45);
/// Bytes under way to a slow local client above which the master is asked to wait.
constexpr size_t kPauseAbove = size_t{256} << 10;

Duration timeout_of(const net::HttpRequest& request) {
  const auto text = request.headers.get("Drover-Timeout-Ms");
  if (!text) return kDefaultTimeout;
  int64_t ms = 0;
  for (const char c : *text) {
    if (c < '0' || c > '9' || ms > 100'000'000) return kDefaultTimeout;
    ms = ms * 10 + (c - '0');
  }
  return std::min<Duration>(std::chrono::milliseconds(ms), kLongestTimeout);
}

net::HttpResponse problem(const Error& error) {
  const CodeInfo& row = info(error.code);
  const json::object body{{"type", fmt::format("urn:drover:problem:{}", row.name)},
                          {"title", row.title},
                          {"status", row.http_status},
                          {"detail", error.text()},
                          {"next", error.next.empty() ? "drover local" : error.next}};
  net::HttpResponse out;
  out.status = row.http_status;
  out.headers.add("Content-Type", "application/problem+json");
  out.body = to_text(body);
  return out;
}

Result<std::string> set_levels(api::DaemonControl& control, const std::string& body) {
  DROVER_TRY(const auto request, decode_text<api::LogLevelsRequest>(body.empty() ? "{}" : body));
  DROVER_CHECK_OK(control.set_log_levels(request));
  return encode(control.log_levels());
}

const net::Endpoint kMaster{"master", 0, {}};

}  // namespace

/// One request on its way to a master and its answer on the way back.
struct LocalApi::Forward {
  ExchangePtr exchange;
  std::unique_ptr<net::HttpCall> call;
  std::string key;              ///< cache key; empty when the answer is not to be kept
  net::HttpResponse collected;  ///< the answer so far, while it may be kept
  bool begun = false;
};

LocalApi::LocalApi(Seams seams, LocalApiConfig config, auth::Signer& signer)
    : seams_(seams),
      config_(std::move(config)),
      signer_(signer),
      log_(seams.log, "local-api"),
      channels_(
          seams.executor, [this] { return config_.up(); },
          [this] { return config_.down_why().first; }),
      client_(seams.executor, channels_),
      server_(seams.executor, seams.net, log_,
              [this](net::HttpRequest request, const ExchangePtr& exchange) {
                serve(std::move(request), exchange);
              }) {}

LocalApi::~LocalApi() = default;

Status LocalApi::start() {
  if (config_.socket.empty()) return {};
  DROVER_TRY([[maybe_unused]] auto bound, server_.listen(net::Endpoint{{}, 0, config_.socket}));
  return {};
}

void LocalApi::stop() {
  forwards_.clear();
  asks_.clear();
  server_.stop(Duration::zero(), [] {});
}

void LocalApi::serve(net::HttpRequest request, const ExchangePtr& exchange) {
  if (request.target == "/api/v1/local") {
    net::HttpResponse response;
    response.headers.add("Content-Type", "application/json");
    response.body = config_.local_status();
    exchange->respond(std::move(response));
    return;
  }
  if (!request.peer.local) {
    exchange->respond(
        problem(Error{Code::unauthenticated, "the kernel does not say who asks", {}, {}}));
    return;
  }
  if (request.headers.has("Authorization")) {
    // It would pass through other hosts; and here the kernel says who asks.
    exchange->respond(problem(Error{Code::unauthenticated,
                                    "a bearer token is taken by a master alone, over HTTPS or its "
                                    "own socket",
                                    {},
                                    "drover --server https://MASTER:PORT --token-file FILE .."}));
    return;
  }
  if (serve_control(request, exchange)) return;
  forward(std::move(request), exchange);
}

bool LocalApi::serve_control(const net::HttpRequest& request, const ExchangePtr& exchange) {
  const bool levels = request.target == "/api/v1/local/log-levels";
  if (config_.control == nullptr || (!levels && request.target != "/api/v1/local/reload")) {
    return false;
  }
  const uint32_t uid = request.peer.local->uid;
  const bool reads = levels && request.method == "GET";
  Result<std::string> body =
      fail(Code::unsupported, request.method + " is not what " + request.target + " takes");
  if (!reads && uid != 0 && uid != config_.own_uid) {
    body = fail(Code::denied, "only root and the daemon's own user may change this daemon");
  } else if (reads) {
    body = encode(config_.control->log_levels());
  } else if (levels && request.method == "PUT") {
    body = set_levels(*config_.control, request.body);
  } else if (!levels && request.method == "POST") {
    body = config_.control->reload().map([](const api::ReloadView& view) { return encode(view); });
  }
  if (!body) {
    exchange->respond(problem(body.error()));
    return true;
  }
  net::HttpResponse response;
  response.headers.add("Content-Type", "application/json");
  response.body = *std::move(body);
  exchange->respond(std::move(response));
  return true;
}

void LocalApi::forward(net::HttpRequest request, const ExchangePtr& exchange) {
  const net::LocalCaller caller = *request.peer.local;
  const std::string key = request.method == "GET" && !request.target.starts_with("/api/v1/watch")
                              ? fmt::format("{} {}", caller.uid, request.target)
                              : std::string();
  if (config_.up() == nullptr) {
    answer_without_master(key, exchange,
                          Error{Code::unreachable, config_.down_why().first, {}, {}});
    return;
  }
  auth::Claim claim;
  claim.uid = caller.uid;
  claim.gid = caller.gid;
  claim.user = config_.user_name(caller.uid);
  auto signed_claim =
      signer_.sign(claim, auth::request_hash(request.method, request.target, request.body));
  if (!signed_claim) {
    exchange->respond(problem(signed_claim.error()));
    return;
  }
  request.headers.set(std::string(auth::kCallerHeader), auth::caller_header(*signed_claim));
  request.headers.erase("Connection");
  request.peer = {};
  const Duration timeout = timeout_of(request);

  const auto place = forwards_.insert(forwards_.end(), std::make_unique<Forward>());
  Forward& forward = **place;
  forward.exchange = exchange;
  forward.key = key;
  net::HttpStreamEvents events;
  events.on_head = [&forward](const net::HttpResponse& head) {
    forward.collected.status = head.status;
    for (const auto& [name, value] : head.headers) {
      if (net::equal_ignoring_case(name, "Content-Length") ||
          net::equal_ignoring_case(name, "Transfer-Encoding") ||
          net::equal_ignoring_case(name, "Connection") || net::equal_ignoring_case(name, "Date") ||
          net::equal_ignoring_case(name, "Server")) {
        continue;
      }
      forward.collected.headers.add(name, value);
    }
    // A stream is passed on as it comes; everything else goes on whole, with its length.
    const auto type = head.headers.get("Content-Type");
    if (type && (*type == "text/event-stream" || *type == "application/jsonl")) {
      forward.begun = true;
      forward.exchange->begin(head.status, forward.collected.headers);
    }
  };
  events.on_chunk = [&forward](std::string_view chunk) {
    if (!forward.begun) {
      forward.collected.body.append(chunk);
      return;
    }
    forward.exchange->write(chunk);
    if (forward.exchange->unsent() > kPauseAbove) forward.call->pause(true);
  };
  events.on_end = [this, place](const Status& end) {
    Forward& done = **place;
    if (done.begun) {
      if (end) done.exchange->end();
    } else if (!end) {
      answer_without_master(done.key, done.exchange, end.error());
    } else {
      remember(done.key, done.collected);
      done.exchange->respond(std::move(done.collected));
    }
    drop(place);
  };
  exchange->on_gone([this, place] { drop(place); });
  exchange->on_drained([&forward] {
    if (forward.call) forward.call->pause(false);
  });
  forward.call = client_.stream(kMaster, nullptr, std::move(request), timeout, kStreamSilence,
                                std::move(events));
}

void LocalApi::drop(std::list<std::unique_ptr<Forward>>::iterator place) {
  // Called from inside the exchange's or the call's own event: both go after it.
  std::unique_ptr<Forward> gone = std::move(*place);
  forwards_.erase(place);
  gone->exchange->on_gone(nullptr);
  gone->exchange->on_drained(nullptr);
  seams_.executor.post([held = std::move(gone)]() mutable { held.reset(); });
}

void LocalApi::remember(const std::string& key, const net::HttpResponse& response) {
  if (key.empty() || response.status != 200 || response.body.size() > kCacheBody) return;
  if (cache_.size() >= kCacheEntries && !cache_.contains(key)) {
    auto oldest = cache_.begin();
    for (auto it = cache_.begin(); it != cache_.end(); ++it) {
      if (it->second.when < oldest->second.when) oldest = it;
    }
    cache_.erase(oldest);
  }
  cache_[key] = {response, seams_.executor.now()};
}

void LocalApi::answer_without_master(const std::string& key, const ExchangePtr& exchange,
                                     const Error& why) {
  const auto [down, since] = config_.down_why();
  const std::string degraded =
      fmt::format("{}; since={}", down.empty() ? why.text() : down, to_rfc3339(since));
  const auto cached = key.empty() ? cache_.end() : cache_.find(key);
  if (cached == cache_.end()) {
    net::HttpResponse response =
        problem(Error{why.code == Code::timed_out ? Code::timed_out : Code::unreachable,
                      fmt::format("no answer from a master: {}", why.text()),
                      {},
                      "drover local"});
    response.headers.add("Drover-Degraded", degraded);
    exchange->respond(std::move(response));
    return;
  }
  net::HttpResponse response = cached->second.response;
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(seams_.executor.now() - cached->second.when);
  response.headers.set("Drover-Degraded", degraded);
  response.headers.set("Age", std::to_string(age.count()));
  exchange->respond(std::move(response));
}

Status LocalApi::sign_as_daemon(net::HttpRequest& request) {
  auth::Claim claim;
  claim.daemon_itself = true;
  DROVER_TRY(const auto signed_claim,
             signer_.sign(claim, auth::request_hash(request.method, request.target, request.body)));
  request.headers.set(std::string(auth::kCallerHeader), auth::caller_header(signed_claim));
  return {};
}

std::unique_ptr<net::HttpCall> LocalApi::follow(const std::string& target,
                                                net::HttpStreamEvents events,
                                                net::HttpHeaders headers) {
  if (config_.up() == nullptr) return nullptr;
  net::HttpRequest request;
  request.method = "GET";
  request.target = target;
  request.headers = std::move(headers);
  if (const Status is_signed = sign_as_daemon(request); !is_signed) {
    log_.error("a request could not be signed", {{"why", is_signed.error().text()}});
    return nullptr;
  }
  return client_.stream(kMaster, nullptr, std::move(request), kDefaultTimeout, kStreamSilence,
                        std::move(events));
}

void LocalApi::ask(net::HttpRequest request, Duration timeout,
                   Callback<void(Result<net::HttpResponse>)> done) {
  if (const Status is_signed = sign_as_daemon(request); !is_signed) {
    seams_.executor.post([error = is_signed.error(), done = std::move(done)]() mutable {
      done(tl::unexpected<Error>(error));
    });
    return;
  }
  const uint64_t id = ++last_ask_;
  auto& place = asks_.emplace_back(id, nullptr);
  place.second = client_.request(
      kMaster, nullptr, std::move(request), timeout,
      [this, id, done = std::move(done)](Result<net::HttpResponse> response) mutable {
        for (auto it = asks_.begin(); it != asks_.end(); ++it) {
          if (it->first != id) continue;
          seams_.executor.post([held = std::move(it->second)]() mutable { held.reset(); });
          asks_.erase(it);
          break;
        }
        done(std::move(response));
      });
}

}  // namespace drover::daemons
