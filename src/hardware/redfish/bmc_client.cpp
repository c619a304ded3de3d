// The queue and its lanes, and the way in: one sign-in at a time, never twice with a refused
// password.
#include "hardware/redfish/bmc_client.hpp"

#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "hardware/redfish/redfish_document.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

/// Base64 with the standard's alphabet and padding (RFC 4648 section 4), as RFC 7617 wants it.
std::string base64(std::string_view bytes) {
  std::string text = to_base64url(bytes);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

std::optional<Duration> retry_after(const net::HttpResponse& response) {
  const auto text = response.headers.get("Retry-After");
  uint32_t seconds = 0;
  if (!text) return std::nullopt;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (read.ec != std::errc{}) return std::nullopt;
  return std::chrono::seconds(seconds);
}

/// The path of a Location, which may name the BMC itself as host.
std::string location_path(std::string_view location, const net::Endpoint& at) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!location.starts_with(scheme)) continue;
    location.remove_prefix(scheme.size());
    const size_t slash = location.find('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view host = location.substr(0, slash);
    if (host != at.host && host != at.text()) return {};
    location.remove_prefix(slash);
  }
  return redfish_path(location, true);
}

bool too_busy(int status) {
  return status == 503 || status == 429;
}

}  // namespace

Error bmc_error(const BmcAnswer& answer) {
  Code code = Code::io;
  if (answer.status == 401 || answer.status == 403) code = Code::denied;
  if (answer.status == 404 || answer.status == 410) code = Code::not_found;
  if (answer.status == 400) code = Code::invalid_argument;
  if (answer.status == 409 || answer.status == 412 || answer.status == 428) code = Code::conflict;
  if (answer.status == 405 || answer.status == 501) code = Code::unsupported;
  const std::string said = redfish_error_text(answer.body);
  return {code,
          fmt::format("the BMC answered {}{}{}", answer.status, said.empty() ? "" : ": ", said),
          {},
          {}};
}

BmcClient::BmcClient(BmcGround& ground, BmcAccess access, BmcClientOptions options)
    : ground_(ground), access_(std::move(access)), options_(options) {
  lanes_.resize(std::max<size_t>(options_.in_flight, 1));
  waiter_ = std::make_shared<Callback<void()>>([this] {
    waits_ = false;
    has_place_ = true;
    pump();
    if (has_place_) {  // nobody wants it any more
      has_place_ = false;
      ground_.give();
    }
  });
}

BmcClient::~BmcClient() {
  *alive_ = false;
  for (size_t i = 0; i < running_; ++i) ground_.give();
}

void BmcClient::send(BmcRequest request, Done done) {
  if (queue_.size() + delayed_.size() >= options_.queue_limit) {
    ground_.executor().post([alive = alive_, done = std::move(done)]() mutable {
      if (*alive) done(fail(Code::exhausted, "too many requests wait for the BMC"));
    });
    return;
  }
  auto job = std::make_unique<Job>();
  job->request = std::move(request);
  job->done = std::move(done);
  queue_.push_back(std::move(job));
  ground_.executor().post([this, alive = alive_] {
    if (*alive) pump();
  });
}

void BmcClient::learn(const RedfishNode& root) {
  learned_ = true;
  quirks_ = redfish_quirks(root.text("Vendor"), root.text("Product"));
  sessions_ = root.at("Links").link("Sessions");
  const bool basic = sessions_.empty() || quirks_.basic_only || !options_.sessions;
  if (door_ != Door::open) way_ = basic ? Way::basic : Way::session;
}

size_t BmcClient::limit() const {
  size_t most = lanes_.size();
  if (quirks_.in_flight != 0) most = std::min(most, quirks_.in_flight);
  return most;
}

bool BmcClient::take_place() {
  if (std::exchange(has_place_, false)) return true;
  if (waits_) return false;
  if (ground_.take(waiter_)) return true;
  waits_ = true;
  return false;
}

void BmcClient::pump() {
  const auto alive = alive_;
  while (*alive && !queue_.empty() && running_ < limit()) {
    const bool open = queue_.front()->request.open;
    if (!open && door_ == Door::refused) {
      JobPtr job = std::move(queue_.front());
      queue_.pop_front();
      answer(std::move(job),
             fail(Code::unauthenticated,
                  fmt::format("the BMC refused the password of '{}'", printable(access_.user)),
                  "give the right one: drover bmc credential set"));
      continue;
    }
    if (!open && door_ == Door::opening) return;
    if (!open && door_ == Door::closed) {
      if (ground_.was_refused(access_.at.text(), access_.user, access_.password)) {
        door_ = Door::refused;
        continue;
      }
      if (!take_place()) return;
      sign_in();
      return;
    }
    if (!take_place()) return;
    JobPtr job = std::move(queue_.front());
    queue_.pop_front();
    start(std::move(job));
  }
}

// --- the way in ---

void BmcClient::sign_in() {
  door_ = Door::opening;
  if (!learned_) return ask_root();
  if (way_ == Way::basic) {
    // The request in front proves the password; until it has, it goes alone.
    JobPtr job = std::move(queue_.front());
    queue_.pop_front();
    start(std::move(job));
    return;
  }
  net::HttpRequest request;
  request.method = "POST";
  request.target = sessions_;
  request.headers.add("Content-Type", "application/json");
  request.headers.add("OData-Version", "4.0");
  request.body =
      json::serialize(json::object{{"UserName", access_.user}, {"Password", access_.password}});
  dispatch(std::move(request),
           [this](Result<net::HttpResponse> got) { signed_in(std::move(got)); });
}

void BmcClient::ask_root() {
  net::HttpRequest request;
  request.target = "/redfish/v1/";
  request.headers.add("Accept", "application/json");
  request.headers.add("OData-Version", "4.0");
  dispatch(std::move(request), [this](Result<net::HttpResponse> got) {
    if (!got) return sign_in_failed(std::move(got));
    const auto root = RedfishDocument::parse(got->body);
    if (got->status != 200 || !root) {
      return sign_in_failed(
          fail(Code::io, fmt::format("there is no Redfish service (status {})", got->status)));
    }
    learn(root->root());
    door_ = Door::closed;
    pump();
  });
}

void BmcClient::signed_in(Result<net::HttpResponse> got) {
  if (!got) return sign_in_failed(std::move(got));
  if (too_busy(got->status)) {
    return sign_in_failed(fail(Code::unreachable, "the BMC is too busy to let anybody in"));
  }
  silent_ = 0;
  const std::string said = redfish_error_text(got->body);
  const auto token = got->headers.get("X-Auth-Token");
  if ((got->status == 200 || got->status == 201) && token && !token->empty()) {
    door_ = Door::open;
    token_ = *token;
    session_path_ = location_path(got->headers.get("Location").value_or(""), access_.at);
    ground_.forget_refused(access_.at.text());
  } else if (got->status == 401 || got->status == 403) {
    refuse();
  } else if (got->status == 404 || got->status == 405 || got->status == 501) {
    door_ = Door::closed;
    way_ = Way::basic;
  } else {
    return sign_in_failed(fail(Code::io, fmt::format("the BMC answered {} to the sign-in{}{}",
                                                     got->status, said.empty() ? "" : ": ", said)));
  }
  pump();
}

/// The request in front asked for the sign-in, so it takes the trouble.
void BmcClient::sign_in_failed(Result<net::HttpResponse> why) {
  door_ = Door::closed;
  if (queue_.empty()) return;
  JobPtr job = std::move(queue_.front());
  queue_.pop_front();
  finished(std::move(job), std::move(why));
}

void BmcClient::refuse() {
  door_ = Door::refused;
  ground_.note_refused(access_.at.text(), access_.user, access_.password);
}

Status BmcClient::check_peer(const net::Peer& peer) {
  const std::string& key = peer.certificate_key_sha256;
  const std::string& wanted = access_.pinned_key.empty() ? seen_key_ : access_.pinned_key;
  if (!wanted.empty() && key != wanted) {
    return fail(
        Code::unauthenticated,
        fmt::format("the BMC shows a certificate with another key ({}) than the one that is "
                    "known ({}); nothing was sent",
                    key.empty() ? "none" : key.substr(0, 16), wanted.substr(0, 16)),
        "if it was replaced or reset, forget the old key");
  }
  seen_key_ = key;
  return {};
}

// --- requests ---

net::HttpRequest BmcClient::request_of(const BmcRequest& asked) const {
  net::HttpRequest request;
  request.method = asked.method;
  request.target = asked.target;
  request.body = asked.body;
  request.headers.add("Accept", "application/json");
  request.headers.add("OData-Version", "4.0");
  if (!asked.body.empty()) request.headers.add("Content-Type", "application/json");
  if (!asked.if_match.empty()) request.headers.add("If-Match", asked.if_match);
  if (asked.open) return request;
  if (way_ == Way::session) {
    request.headers.add("X-Auth-Token", token_);
  } else {
    request.headers.add("Authorization", "Basic " + base64(access_.user + ":" + access_.password));
  }
  return request;
}

BmcClient::Lane& BmcClient::free_lane() {
  auto lane = std::ranges::find_if(lanes_, [](const Lane& l) { return !l.busy && l.session; });
  if (lane == lanes_.end()) {
    lane = std::ranges::find_if(lanes_, [](const Lane& l) { return !l.busy; });
  }
  if (lane->session) return *lane;
  net::HttpSessionOptions options;
  options.timeout = options_.request_time;
  options.body_limit = options_.body_limit;
  options.repeat_unsafe = false;
  if (access_.security) {
    options.check_peer = std::make_shared<Callback<Status(const net::Peer&)>>(
        [this](const net::Peer& peer) { return check_peer(peer); });
  }
  lane->session = std::make_unique<net::HttpSession>(ground_.executor(), ground_.net(), access_.at,
                                                     access_.security, std::move(options));
  return *lane;
}

/// Uses a place of the ground's, which it gives back at the end.
void BmcClient::dispatch(net::HttpRequest request, Callback<void(Result<net::HttpResponse>)> done) {
  Lane& lane = free_lane();
  lane.busy = true;
  ++running_;
  ++sent_;
  const size_t index = static_cast<size_t>(&lane - lanes_.data());
  lane.session->send(std::move(request),
                     [this, index, done = std::move(done)](Result<net::HttpResponse> got) mutable {
                       lanes_[index].busy = false;
                       --running_;
                       ground_.give();
                       done(std::move(got));
                     });
}

void BmcClient::start(JobPtr job) {
  net::HttpRequest request = request_of(job->request);
  dispatch(std::move(request), [this, job = std::move(job)](Result<net::HttpResponse> got) mutable {
    finished(std::move(job), std::move(got));
  });
}

void BmcClient::finished(JobPtr job, Result<net::HttpResponse> got) {
  const bool proving = door_ == Door::opening && way_ == Way::basic && !job->request.open;
  if (!got) {
    if (proving) door_ = Door::closed;
    const Code code = got.error().code;
    const bool silent = code == Code::unreachable || code == Code::timed_out;
    if (silent) ++silent_;
    if (silent && silent_ >= options_.gives_up_after) {
      Error why = got.error();
      answer(std::move(job), tl::unexpected(std::move(got).error()));
      return fail_all(why);
    }
    const bool again = silent && job->request.method == "GET" && job->tries < options_.retries;
    if (!again) return answer(std::move(job), tl::unexpected(std::move(got).error()));
    Backoff backoff(std::chrono::milliseconds(500), options_.longest_wait);
    for (uint32_t i = 0; i < job->tries; ++i) backoff.next(ground_.random());
    const Duration wait = backoff.next(ground_.random());
    return later(std::move(job), wait);
  }
  silent_ = 0;
  if (got->status == 401 && !job->request.open) {
    const bool first = job->sign_ins++ == 0;
    if (way_ == Way::basic && (proving || !first)) {
      refuse();
    } else if (door_ == Door::open && first) {
      door_ = Door::closed;  // a session that ended, or a password that was changed meanwhile
    }
    if (way_ == Way::basic || first) {
      queue_.push_front(std::move(job));
      return pump();
    }
  }
  if (proving) {
    // An answer that never looked at the password proves nothing of it.
    const bool proven =
        got->status < 300 || (got->status >= 400 && got->status < 500 && !too_busy(got->status));
    door_ = proven ? Door::open : Door::closed;
    if (proven) ground_.forget_refused(access_.at.text());
  }
  const auto asked = retry_after(*got);
  if (too_busy(got->status) && job->tries < options_.retries) {
    const Duration floor =
        ground_.random().between(std::chrono::milliseconds(200), std::chrono::milliseconds(800));
    const Duration wait = std::min(asked.value_or(Duration::zero()) + floor, options_.longest_wait);
    return later(std::move(job), wait);
  }
  BmcAnswer result;
  result.status = got->status;
  result.etag = got->headers.get("ETag").value_or("");
  result.location = location_path(got->headers.get("Location").value_or(""), access_.at);
  result.retry_after = asked;
  result.body = std::move(got->body);
  answer(std::move(job), std::move(result));
}

void BmcClient::later(JobPtr job, Duration wait) {
  ++job->tries;
  delayed_.push_back(std::move(job));
  const auto place = std::prev(delayed_.end());
  (*place)->delay.after(ground_.executor(), wait, [this, place] {
    JobPtr due = std::move(*place);
    delayed_.erase(place);
    queue_.push_back(std::move(due));
    pump();
  });
  pump();
}

/// Goes on with the queue before the answer is told, since what is told may end this object.
void BmcClient::answer(JobPtr job, Result<BmcAnswer> result) {
  ground_.executor().post(
      [this, alive = alive_, job = std::move(job), result = std::move(result)]() mutable {
        if (*alive) pump();
        if (*alive) job->done(std::move(result));
      });
}

void BmcClient::fail_all(const Error& why) {
  std::deque<JobPtr> waiting = std::move(queue_);
  queue_.clear();
  for (JobPtr& job : delayed_) {
    job->delay.cancel();
    waiting.push_back(std::move(job));
  }
  delayed_.clear();
  silent_ = 0;
  for (JobPtr& job : waiting) answer(std::move(job), tl::unexpected(why));
}

void BmcClient::sign_out(Callback<void()> done) {
  if (door_ != Door::open || session_path_.empty()) {
    ground_.executor().post([alive = alive_, done = std::move(done)]() mutable {
      if (*alive) done();
    });
    return;
  }
  BmcRequest request;
  request.method = "DELETE";
  request.target = std::exchange(session_path_, {});
  send(std::move(request), [done = std::move(done)](const Result<BmcAnswer>&) mutable { done(); });
}

}  // namespace drover::hardware
