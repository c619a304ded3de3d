#include "auth/issuers.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr size_t kLongestName = 128;

tl::unexpected<Error> refused(std::string why, std::string next = {}) {
  return fail(Code::unauthenticated, std::move(why), std::move(next));
}

/// The role that the claims give: the highest of those mapped.
Access role_of(const IssuerRecord& issuer, std::string_view payload) {
  Access role = issuer.default_role;
  for (const std::string& value : claim_texts(payload, issuer.role_claim)) {
    const auto mapped = issuer.roles.find(value);
    if (mapped != issuer.roles.end()) role = std::max(role, mapped->second);
  }
  return role;
}

}  // namespace

/// One issuer's keys and what is under way about them.
struct Issuers::State {
  IssuerRecord record;
  uint64_t revision = 0;
  KeySet keys;
  std::optional<MonoTime> fetched;  ///< the last good fetch
  WallTime fetched_at{};
  MonoTime next_try{};  ///< no fetch before
  bool fetching = false;
  std::string problem;
  Backoff backoff{std::chrono::seconds(1), std::chrono::minutes(5)};
  Timer timer;
  std::vector<Callback<void()>> waiting;  ///< run once the fetch under way has ended
};

Issuers::Issuers(store::Store& store, Clock& clock, Random& random, Log log, FetchJwks fetch)
    : store_(store), clock_(clock), random_(random), log_(log), fetch_(std::move(fetch)) {}

Issuers::~Issuers() = default;

Status Issuers::start() {
  DROVER_TRY(const auto objects, store_.load(kIssuerKind));
  for (const store::Object& object : objects) {
    if (auto taken = take(object.key, object.body, object.revision); !taken) {
      return fail(Code::corrupt, taken.error().text());
    }
  }
  subscription_ =
      store_.subscribe([this](std::span<const store::Change> changes) { apply(changes); });
  return {};
}

void Issuers::apply(std::span<const store::Change> changes) {
  for (const store::Change& change : changes) {
    if (change.kind != kIssuerKind) continue;
    if (const auto known = states_.find(change.key); known != states_.end()) {
      // Who waits for its keys hears that it was changed.
      auto waiting = std::exchange(known->second->waiting, {});
      states_.erase(known);
      records_.erase(change.key);
      for (auto& resume : waiting) resume();
    }
    if (!change.after) continue;
    if (auto taken = take(change.key, *change.after, change.sequence); !taken) {
      log_.error("a stored issuer cannot be read", {{"why", taken.error().text()}});
    }
  }
}

Status Issuers::take(const std::string& name, std::string_view body, uint64_t revision) {
  const auto doing = [&name] { return fmt::format("issuer '{}' in the store", name); };
  auto record = decode_text<IssuerRecord>(body, Unknown::ignore);
  if (!record) return fail_in(doing(), std::move(record).error());
  auto state = std::make_unique<State>();
  state->record = *record;
  state->revision = revision;
  if (record->jwks_url.empty()) {
    auto keys = KeySet::parse(record->jwks.text);
    if (!keys) return fail_in(doing(), std::move(keys).error());
    state->keys = *std::move(keys);
  }
  records_.insert_or_assign(name, *std::move(record));
  states_.insert_or_assign(name, std::move(state));
  if (!records_.at(name).jwks_url.empty()) refresh(name);
  return {};
}

uint64_t Issuers::revision(const std::string& name) const {
  const auto known = states_.find(name);
  return known == states_.end() ? 0 : known->second->revision;
}

IssuerKeys Issuers::keys_of(const std::string& name) const {
  const auto known = states_.find(name);
  if (known == states_.end()) return {};
  const State& state = *known->second;
  return {state.keys.keys().size(), state.fetched_at, state.problem};
}

const VerificationKey* Issuers::key_for(const State& state, const Jws& jws) const {
  const bool stale =
      !state.record.jwks_url.empty() && (!state.fetched || clock_.now() - *state.fetched > kStale);
  return stale ? nullptr : state.keys.find(jws.key_id, jws.algorithm);
}

void Issuers::authenticate(Jws jws, Claims claims, Callback<void(Result<Principal>)> done) {
  const auto known = std::ranges::find_if(
      states_, [&claims](const auto& entry) { return entry.second->record.url == claims.issuer; });
  if (known == states_.end()) {
    return done(refused(
        fmt::format("the token's issuer '{}' is not trusted here", printable(claims.issuer)),
        "drover issuer list shows who is"));
  }
  State& state = *known->second;
  const bool can_fetch = !state.record.jwks_url.empty() &&
                         (state.fetching || clock_.now() >= state.next_try) &&
                         state.waiting.size() < kMostWaiting;
  if (key_for(state, jws) != nullptr || !can_fetch) return done(finish(state, jws, claims));
  const auto held = std::make_shared<std::tuple<Jws, Claims, Callback<void(Result<Principal>)>>>(
      std::move(jws), std::move(claims), std::move(done));
  state.waiting.push_back([this, name = known->first, held] {
    auto& [waiting_jws, waiting_claims, waiting_done] = *held;
    const auto now_known = states_.find(name);
    if (now_known == states_.end()) {
      return waiting_done(refused("the token's issuer was changed just now", "try again"));
    }
    waiting_done(finish(*now_known->second, waiting_jws, waiting_claims));
  });
  refresh(known->first);
}

Result<Principal> Issuers::finish(const State& state, const Jws& jws, const Claims& claims) {
  const IssuerRecord& issuer = state.record;
  const VerificationKey* key = key_for(state, jws);
  if (key == nullptr) {
    return refused(
        fmt::format("issuer {} has no key '{}' for {}{}{}", issuer.name, printable(jws.key_id),
                    name(jws.algorithm), state.problem.empty() ? "" : ": ", state.problem),
        "drover issuer list shows how its keys stand");
  }
  DROVER_CHECK_OK(key->verify(jws));
  DROVER_CHECK_OK(check_claims(claims, issuer.url, issuer.audience, clock_.wall()));
  const auto names = claim_texts(jws.payload, issuer.name_claim);
  if (names.size() != 1 || names[0].empty() || names[0].size() > kLongestName) {
    return refused(
        fmt::format("the token of issuer {} has no single name of at most {} bytes in "
                    "its claim '{}'",
                    issuer.name, kLongestName, printable(issuer.name_claim)));
  }
  Principal out;
  out.kind = PrincipalKind::external;
  out.role = auth::name(role_of(issuer, jws.payload));
  out.name = names[0];
  out.issuer = issuer.name;
  out.token_id = claims.id;
  out.nodes = issuer.nodes;
  out.groups = claim_texts(jws.payload, issuer.groups_claim);
  out.expires = claims.expires;
  return out;
}

void Issuers::refresh(const std::string& name) {
  State& state = *states_.at(name);
  if (state.fetching || clock_.now() < state.next_try) return;
  state.fetching = true;
  fetch_(state.record, [this, name, revision = state.revision,
                        alive = std::weak_ptr<bool>(alive_)](Result<std::string> document) {
    if (!alive.expired()) fetched(name, revision, std::move(document));
  });
}

void Issuers::fetched(const std::string& name, uint64_t revision, Result<std::string> document) {
  const auto known = states_.find(name);
  if (known == states_.end() || known->second->revision != revision) return;
  State& state = *known->second;
  state.fetching = false;
  auto keys =
      document ? KeySet::parse(*document) : Result<KeySet>(tl::unexpected<Error>(document.error()));
  Duration wait = kRefresh;
  if (keys) {
    state.keys = *std::move(keys);
    state.fetched = clock_.now();
    state.fetched_at = clock_.wall();
    state.problem.clear();
    state.backoff.reset();
    state.next_try = clock_.now() + kLeastInterval;
  } else {
    wait = state.backoff.next(random_);
    state.next_try = clock_.now() + wait;
    if (state.problem != keys.error().text()) {
      log_.warning("an issuer's keys could not be fetched",
                   {{"issuer", name}, {"why", keys.error().text()}});
    }
    state.problem = keys.error().text();
  }
  state.timer.after(clock_, wait, [this, name] { refresh(name); });
  for (auto& resume : std::exchange(state.waiting, {})) resume();
}

}  // namespace drover::auth
