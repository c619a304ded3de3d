// Credentials of people and programs: bearer tokens that the cluster signs itself, and people's
// certificates. A service of the master on its store.
#pragma once

#include "auth/authority.hpp"
#include "auth/bearer_record.hpp"
#include "auth/jwt.hpp"
#include "auth/principal.hpp"
#include "auth/signing_keys.hpp"
#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::auth {

inline constexpr Duration kShortestBearerLife = std::chrono::seconds(1);
inline constexpr Duration kLongestBearerLife = std::chrono::hours(24 * 366);
inline constexpr Duration kDefaultBearerLife = std::chrono::hours(8);

/// What a new credential shall allow.
struct BearerRequest {
  std::string name;  ///< 1 to 64 letters, digits, '.', '_', '-', '@'
  Access role = Access::viewer;
  std::string nodes = {};
  std::vector<std::string> groups = {};
  Duration ttl = kDefaultBearerLife;
  /// A signing request (PKCS #10, PEM): then a certificate is made, else a token.
  std::string csr_pem = {};
};

struct CreatedBearer {
  BearerRecord record;
  std::string secret;  ///< the token; shown once, never stored. A certificate's PEM otherwise
};

/// Executor's thread only; what it tells comes from memory, which follows the store's feed, so a
/// revocation holds from the moment it is durable. A token whose record is not there is refused:
/// after a restore from a back-up what was issued since is worthless, never the other way about.
class BearerCredentials {
 public:
  /// All of them outlive the store's last mutation; `store` outlives this.
  BearerCredentials(store::Store& store, const Authority& authority, SigningKeys keys, Clock& clock,
                    Random& random, Log log, std::string cluster);

  /// Reads the records and follows their changes from then on; before the store's first write.
  Status start();

  /// invalid_argument for a bad name, role, noderange, group, lifetime or signing request.
  void create(store::Author author, const BearerRequest& request,
              Callback<void(Result<CreatedBearer>)> done);
  /// By id; expired ones stay listed for a week.
  [[nodiscard]] const std::map<std::string, BearerRecord>& all() const { return records_; }
  /// Refuses it from now on. not_found when there is none. Again: nothing changes.
  void revoke(store::Author author, const std::string& id, const std::string& why,
              Callback<void(Status)> done);
  /// When this master last accepted the credential; nothing when it did not since it started.
  [[nodiscard]] std::optional<WallTime> last_used(const std::string& id) const;

  /// What tokens of the cluster's own name as their issuer.
  [[nodiscard]] const std::string& issuer() const { return issuer_; }
  /// The bearer of a token of this cluster. unauthenticated: bad signature, wrong cluster, expired,
  /// unknown; denied: revoked, with who, when and why.
  [[nodiscard]] Result<Principal> authenticate(const Jws& jws, const Claims& claims);
  /// Whether a credential that was accepted before still is: unauthenticated with the reason.
  [[nodiscard]] Status check(const std::string& id) const;
  /// The same for a person's certificate, that the transport has verified, by its key: denied when
  /// it was revoked; nothing when it is not one of those issued here.
  [[nodiscard]] Result<std::optional<Principal>> check_certificate(const Principal& person);

  [[nodiscard]] const SigningKeys& keys() const { return keys_; }
  /// Takes over keys that were rotated elsewhere (SigningKeys::rotated on a worker).
  void use(SigningKeys keys) { keys_ = std::move(keys); }

 private:
  void apply(std::span<const store::Change> changes);
  Status take(const std::string& key, std::string_view body);
  [[nodiscard]] Result<const BearerRecord*> live(const std::string& id) const;
  [[nodiscard]] Principal principal_of(const BearerRecord& record);

  store::Store& store_;
  const Authority& authority_;
  SigningKeys keys_;
  Clock& clock_;
  Random& random_;
  Log log_;
  std::string cluster_;
  std::string issuer_;
  std::map<std::string, BearerRecord> records_;
  std::map<std::string, std::string> by_key_;  ///< certificates: digest of the key to id
  std::map<std::string, WallTime> used_;
  store::Subscription subscription_;
};

}  // namespace drover::auth
