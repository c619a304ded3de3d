#include "auth/rotation.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::auth {
namespace {

/// Longest sleep: the wall clock may be set, the timer's clock does not see it.
constexpr Duration kLook = std::chrono::hours(1);
constexpr uint32_t kFailuresToWarn = 3;

std::string span_text(Duration span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86'400);
}

}  // namespace

WallTime renewal_time(WallTime not_before, WallTime not_after, uint64_t lot) {
  const Duration life = not_after - not_before;
  return not_before + life / 3 * 2 -
         life / 12 / 1000 * static_cast<int64_t>(std::min<uint64_t>(lot, 1000));
}

RetryTimes retry_times(Duration lifetime) {
  const Duration shortest = std::chrono::milliseconds(100);
  return {std::clamp<Duration>(lifetime / 500, shortest, std::chrono::seconds(30)),
          std::clamp<Duration>(lifetime / 50, shortest, std::chrono::minutes(15))};
}

std::optional<RotationAlarm> rotation_alarm(const RotationState& state, WallTime not_before,
                                            WallTime now) {
  const Duration left = state.not_after - now;
  const std::string because =
      state.why.empty() ? std::string() : fmt::format(" and renewal fails: {}", state.why);
  if (left <= Duration::zero()) {
    return RotationAlarm{true,
                         fmt::format("the certificate expired {} ago{}", span_text(-left), because),
                         "check the clock; if it is right, join again with a token of "
                         "'drover token create --replace'"};
  }
  const bool late = left < (state.not_after - not_before) / 8;
  if (state.failures < kFailuresToWarn && !late) return std::nullopt;
  return RotationAlarm{late,
                       fmt::format("the certificate expires in {}{}", span_text(left), because),
                       "check that a master can be reached; 'drover health' lists the links"};
}

Rotation::Rotation(Executor& executor, Worker& worker, Random& random, Disk& disk,
                   IdentityTool& tool, Log log, Options options, Ask ask)
    : executor_(executor),
      worker_(worker),
      random_(random),
      tool_(tool),
      log_(log),
      options_(std::move(options)),
      ask_(std::move(ask)),
      files_(std::make_shared<const IdentityFiles>(disk, options_.dir)),
      backoff_(Duration::zero(), Duration::zero()),
      rest_until_(executor.now()) {}

Status Rotation::start() {
  DROVER_TRY(auto loaded, files_->load());
  if (!loaded) {
    return fail(Code::not_found, fmt::format("{} has no certificate yet", options_.uri),
                "run 'drover join' with a token of the cluster");
  }
  auto used = use(*loaded);
  if (!used) return fail_in("reading " + files_->path(), std::move(used).error());
  watch();
  return {};
}

Status Rotation::start_with(const Identity& identity) {
  DROVER_CHECK_OK(use(identity));
  DROVER_CHECK_OK(files_->save(identity));
  watch();
  return {};
}

/// Makes `identity` the present one if it is whole and ours.
Status Rotation::use(const Identity& identity) {
  DROVER_TRY(IdentityFacts facts, tool_.check(identity));
  if (facts.uri != options_.uri) {
    return fail(Code::conflict, fmt::format("the certificate is for '{}', this daemon is '{}'",
                                            facts.uri, options_.uri));
  }
  identity_ = identity;
  facts_ = std::move(facts);
  const RetryTimes times = retry_times(facts_.not_after - facts_.not_before);
  backoff_ = Backoff(times.first, times.longest);
  state_ = RotationState{};
  state_.not_after = facts_.not_after;
  state_.renew_at = renewal_time(facts_.not_before, facts_.not_after, random_.below(1001));
  return {};
}

/// Sleeps until the certificate is due. Not at once after a renewal, whatever the clock says: one
/// that runs far ahead of the master's finds every new certificate due already.
void Rotation::watch() {
  const Duration left = std::max(state_.renew_at - executor_.wall(), rest_until_ - executor_.now());
  if (left <= Duration::zero()) {
    executor_.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.lock()) renew_now();
    });
    return;
  }
  timer_.after(executor_, std::min(left, kLook), [this] { watch(); });
}

void Rotation::renew_now() {
  if (!state_.asking) ask();
}

void Rotation::ask() {
  auto key = tool_.make_key();
  if (!key) return failed(key.error());
  auto csr = tool_.make_csr(*key, options_.name);
  if (!csr) return failed(csr.error());
  state_.asking = true;
  const uint64_t request = ++request_;
  timer_.after(executor_, options_.answer_limit, [this, request] {
    answered(request, {}, fail(Code::timed_out, "no master answered the request"));
  });
  ask_(*csr, [this, request, key_pem = *key,
              alive = std::weak_ptr<bool>(alive_)](Result<Renewed> renewed) {
    if (alive.lock()) answered(request, key_pem, std::move(renewed));
  });
}

void Rotation::answered(uint64_t request, const std::string& key_pem, Result<Renewed> renewed) {
  if (!state_.asking || request != request_) return;
  ++request_;  // this was the one answer
  timer_.cancel();
  if (!renewed) return failed(renewed.error());
  store({key_pem, std::move(renewed->certificate_pem), std::move(renewed->ca_pem)});
}

/// On disk first, in use after: what peers have seen from us survives a restart.
void Rotation::store(Identity identity) {
  auto facts = tool_.check(identity);
  if (facts && facts->uri != options_.uri) {
    facts = fail(Code::conflict, fmt::format("the master issued '{}'", facts->uri));
  }
  if (!facts) return failed(facts.error());
  auto saved = std::make_shared<Status>();
  worker_.run([files = files_, identity, saved] { *saved = files->save(identity); },
              [this, identity, saved, alive = std::weak_ptr<bool>(alive_)] {
                if (!alive.lock()) return;
                if (!*saved) return failed(saved->error());
                if (auto used = use(identity); !used) return failed(used.error());
                rest_until_ =
                    executor_.now() + retry_times(facts_.not_after - facts_.not_before).longest;
                log_.info("certificate renewed",
                          {{"expires", to_rfc3339(facts_.not_after)}, {"uri", facts_.uri}});
                watch();
                if (changed_) changed_(identity_, facts_);
              });
}

void Rotation::failed(const Error& why) {
  state_.asking = false;
  state_.why = why.text();
  if (state_.failures++ == 0) state_.failing_since = executor_.wall();
  const Duration pause = backoff_.next(random_);
  log_.warning("the certificate could not be renewed",
               {{"why", state_.why},
                {"expires", to_rfc3339(state_.not_after)},
                {"next_try_s", std::to_string(pause / std::chrono::seconds(1))}});
  timer_.after(executor_, pause, [this] { renew_now(); });
}

std::optional<RotationAlarm> Rotation::alarm() const {
  return rotation_alarm(state_, facts_.not_before, executor_.wall());
}

}  // namespace drover::auth
