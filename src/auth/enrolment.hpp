// How daemons get into the cluster and stay in: join tokens, certificates for new daemons, renewal,
// revocation. A service of the master on its store.
#pragma once

#include "auth/authority.hpp"
#include "auth/enrolment_records.hpp"
#include "base/callback.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

inline constexpr Duration kLongestTokenLife = std::chrono::hours(24 * 30);
inline constexpr uint32_t kMostTokenUses = 100'000;

/// What a new token shall allow.
struct TokenRequest {
  std::string role;
  std::string names = {};  ///< noderange of plain names; empty: any
  Duration ttl = std::chrono::hours(1);
  uint32_t uses = 1;
  bool replace = false;
};

struct CreatedToken {
  TokenRecord record;
  std::string text;  ///< JoinToken::text(); shown once, never stored
};

/// A new daemon's request to be let in.
struct JoinRequest {
  std::string token;
  std::string csr_pem;
  std::string role;
  std::string name;
  /// Runs in the same mutation once everything is accepted (may be empty): what else shall be
  /// stored if and only if the daemon is let in. An error refuses the daemon.
  store::Mutation also;
};

/// A machine that a boot daemon has booted asks to be let in as its node; the boot daemon has
/// checked its boot token, and vouches for it.
struct BootedRequest {
  std::string node;
  std::string csr_pem;
  std::string boot_daemon;  ///< name of the one that vouches
  std::string boot_id;      ///< of the machine's kernel, for the change log
};

/// A daemon's request for a new certificate of the same identity. The caller has verified who asks.
struct RenewRequest {
  std::string role;
  std::string name;
  std::string csr_pem;
  /// Refused unless check_credential() takes it.
  ProvenKey proven = {};
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};

struct Admission {
  std::string certificate_pem;
  std::string ca_pem;
  std::string cluster;
  std::string role;
  std::string name;
  WallTime expires{};
};

/// One line of the revocation list.
struct Revocation {
  std::string role;
  std::string name;
  std::string key_sha256;  ///< this key alone; empty: whoever has the name
  std::string why;
  bool operator==(const Revocation&) const = default;
};

/// Refuses daemons of a role from the commit on, their renewals and their links: all of them or,
/// when one never joined (not_found names them), none. Those that are revoked already stay as they
/// are.
Status revoke_daemons(store::Transaction& tx, const std::string& role,
                      const std::vector<std::string>& names, const std::string& why);

/// Executor's thread only. What it tells comes from memory, which follows the store's feed.
class Enrolment {
 public:
  struct Options {
    std::string cluster;
    Duration lifetime = kDefaultLifetime;  ///< of certificates
  };
  template <typename T>
  using Done = Callback<void(Result<T>)>;

  /// All of them outlive the store's last mutation; `store` outlives this.
  Enrolment(store::Store& store, const Authority& authority, Clock& clock, Random& random, Log log,
            Options options);

  /// Reads tokens and credentials and follows their changes from then on; before the store's first
  /// write. corrupt names an object that cannot be read.
  Status start();

  /// Makes a token. invalid_argument for an unknown role, a bad noderange or values out of range.
  void create_token(store::Author author, const TokenRequest& request, Done<CreatedToken> done);
  /// Tokens in order of id; expired ones stay listed for a day.
  [[nodiscard]] std::vector<TokenRecord> tokens() const;
  /// Ends a token; who joined with it stays. not_found when there is none.
  void revoke_token(store::Author author, const std::string& id, Callback<void(Status)> done);

  /// Lets a daemon in: checks, spends one use and records the credential in one mutation, so a use
  /// is spent exactly once whatever dies when. Asked again with the same token, key and name it
  /// answers again (the first answer may have been lost) and spends nothing. unauthenticated: no
  /// such token; denied: not for this role or name, expired, or already used; conflict: the name is
  /// held by another key and the token does not replace.
  void redeem(JoinRequest request, Done<Admission> done);

  /// Lets the agent of a booted node in: a certificate for compute/NODE with the key of this boot.
  /// not_found when the node is not in the model, denied when its credential was revoked. The key
  /// of the boot before is not retired: it lived in the memory of the same machine and is gone, and
  /// ten thousand boots must not make a list of revocations.
  void enrol_booted(BootedRequest request, Done<Admission> done);

  /// A new certificate for a daemon that proved its old one. denied when it was revoked or when
  /// its key was replaced. A daemon that the store does not know (the first master, or a store
  /// restored from a back-up) is recorded.
  void renew(RenewRequest request, Done<Admission> done);

  /// revoke_daemons() for one of them.
  void revoke_daemon(store::Author author, const std::string& role, const std::string& name,
                     const std::string& why, Callback<void(Status)> done);

  /// Whom every daemon shall refuse, in order: the revoked, and retired keys while a certificate of
  /// theirs lasts.
  [[nodiscard]] std::vector<Revocation> revocations() const;
  /// Grows with every change of revocations(), over restarts too; from 1.
  [[nodiscard]] uint64_t revocation_version() const { return revocation_version_; }
  /// Whether a daemon whose certificate the transport has verified may have a link: denied when its
  /// name is revoked or its key retired. A key that the store does not know may: it was renewed
  /// after the back-up that this master was restored from.
  [[nodiscard]] Status check_link(std::string_view role, std::string_view name,
                                  std::string_view key_sha256) const;
  /// Called after every change of revocations(), on the executor.
  void on_revocation(Callback<void()> changed) { revocation_changed_ = std::move(changed); }

  [[nodiscard]] bool is_revoked(std::string_view role, std::string_view name) const;
  /// denied with who, when and why for a revoked daemon, and for one whose proven key was replaced
  /// (check_credential()).
  [[nodiscard]] Status check_daemon(std::string_view role, std::string_view name,
                                    const ProvenKey& proven) const;
  /// By "role/name".
  [[nodiscard]] const std::map<std::string, Credential>& credentials() const {
    return credentials_;
  }
  /// For certificates issued from now on.
  void set_lifetime(Duration lifetime) { options_.lifetime = lifetime; }

 private:
  class NameSets;
  template <typename T>
  void write(store::Author author, Callback<Result<T>(store::Transaction&)> job, Done<T> done);
  [[nodiscard]] IssueRequest issue_request(const std::string& csr_pem, const std::string& role,
                                           const std::string& name);
  void apply(std::span<const store::Change> changes);
  Status take(std::string_view kind, const std::string& key, std::string_view body);

  store::Store& store_;
  const Authority& authority_;
  Clock& clock_;
  Random& random_;
  Log log_;
  Options options_;
  std::shared_ptr<NameSets> name_sets_;  ///< used by mutations alone
  std::map<std::string, TokenRecord> tokens_;
  std::map<std::string, Credential> credentials_;
  uint64_t revocation_version_ = 0;
  Callback<void()> revocation_changed_;
  store::Subscription subscription_;
};

}  // namespace drover::auth
