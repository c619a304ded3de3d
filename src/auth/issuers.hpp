// The trusted issuers at work: their keys fetched, kept and refreshed, their tokens turned into
// principals.
#pragma once

#include "auth/issuer_record.hpp"
#include "auth/jwk.hpp"
#include "auth/jwt.hpp"
#include "auth/principal.hpp"
#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace drover::auth {

/// Fetches an issuer's JWKS document; `done` runs once, never inside the call.
using FetchJwks =
    Callback<void(const IssuerRecord& issuer, Callback<void(Result<std::string>)> done)>;

/// How an issuer's keys stand.
struct IssuerKeys {
  size_t keys = 0;
  WallTime fetched{};   ///< zero: given in the record, or never yet
  std::string problem;  ///< why the last fetch failed; empty: it did not
};

/// Executor's thread only.
class Issuers {
 public:
  /// Keys are fetched anew after this long ..
  static constexpr Duration kRefresh = std::chrono::hours(1);
  /// .. and no sooner than this after a fetch, however many tokens name unknown keys.
  static constexpr Duration kLeastInterval = std::chrono::seconds(30);
  /// Keys that could not be refreshed for this long are not used any more: one of them may have
  /// been withdrawn.
  static constexpr Duration kStale = std::chrono::hours(24);
  /// Requests that wait for one issuer's keys, at most.
  static constexpr size_t kMostWaiting = 1000;

  /// All of them outlive it.
  Issuers(store::Store& store, Clock& clock, Random& random, Log log, FetchJwks fetch);
  ~Issuers();

  /// Reads the records and follows their changes; before the store's first write.
  Status start();

  [[nodiscard]] const std::map<std::string, IssuerRecord>& all() const { return records_; }
  /// Of the record; 0: none of that name.
  [[nodiscard]] uint64_t revision(const std::string& name) const;
  [[nodiscard]] IssuerKeys keys_of(const std::string& name) const;

  /// The caller behind a token: at once where the key is known, after a fetch where it is not.
  /// unauthenticated with the reason otherwise. `done` runs once.
  void authenticate(Jws jws, Claims claims, Callback<void(Result<Principal>)> done);

 private:
  struct State;
  void apply(std::span<const store::Change> changes);
  Status take(const std::string& name, std::string_view body, uint64_t revision);
  [[nodiscard]] Result<Principal> finish(const State& state, const Jws& jws, const Claims& claims);
  [[nodiscard]] const VerificationKey* key_for(const State& state, const Jws& jws) const;
  void refresh(const std::string& name);
  void fetched(const std::string& name, uint64_t revision, Result<std::string> document);

  store::Store& store_;
  Clock& clock_;
  Random& random_;
  Log log_;
  FetchJwks fetch_;
  std::map<std::string, IssuerRecord> records_;
  std::map<std::string, std::unique_ptr<State>> states_;
  store::Subscription subscription_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::auth
