// A daemon vouches for the caller of a request that entered at its local socket: what it says, in
// which bytes it is signed, and how a master checks it. Carried by proto/forward.proto.
#pragma once

#include "auth/certificate.hpp"
#include "auth/keys.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace drover::auth {

/// Who asks, as the entry daemon's kernel says (SO_PEERCRED).
struct Claim {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string user;  ///< the name behind uid on that host; empty when it has none
  bool daemon_itself =
      false;  ///< the daemon asks for itself (renewal); uid, gid, user mean nothing
};

/// The claim bound to one daemon, one request and one moment.
struct Assertion {
  std::string daemon_uri;  ///< drover://cluster/role/name
  Claim claim;
  std::string request_sha256;  ///< request_hash()
  WallTime time{};             ///< to the millisecond
  std::string nonce;           ///< 32 hex digits
  /// Key and end of the certificate that signed it: filled in by verify(), not signed.
  std::string daemon_key_sha256 = {};
  WallTime daemon_expires{};
};

/// As it travels. Plain strings, so that the simulator's form needs no keys.
struct SignedAssertion {
  std::string assertion;  ///< canonical_bytes()
  std::string signature;  ///< ECDSA P-256 over SHA-256 of `assertion`, DER
  std::string certificate_pem;
};

/// Binds method, target and body: SHA-256 over the three, each behind its length, 64 hex digits.
std::string request_hash(std::string_view method, std::string_view target, std::string_view body);

/// The bytes that are signed: "drover-assertion-1", then every field in the order of the structs;
/// texts behind their length (4 bytes, big-endian), numbers in 8 bytes big-endian. One spelling per
/// value.
std::string canonical_bytes(const Assertion& assertion);
/// The inverse; invalid_argument for anything that canonical_bytes() would not write, over 8 KiB
/// included.
Result<Assertion> parse_assertion(std::string_view bytes);

/// Signs on behalf of one daemon. Real form: CertificateSigner; the simulator has its own.
class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;
  [[nodiscard]] virtual Result<SignedAssertion> sign(const Claim& claim,
                                                     std::string_view request_sha256) = 0;
};

/// Checks what another daemon signed. Real form: CertificateVerifier; the simulator has its own.
class AssertionVerifier {
 public:
  AssertionVerifier() = default;
  AssertionVerifier(const AssertionVerifier&) = delete;
  AssertionVerifier& operator=(const AssertionVerifier&) = delete;
  virtual ~AssertionVerifier() = default;
  /// The assertion, once. unauthenticated with the reason for a bad certificate or signature,
  /// another request, one that is not fresh or was seen before; denied for a revoked daemon;
  /// exhausted when one daemon sends more than the memory for replays holds.
  [[nodiscard]] virtual Result<Assertion> verify(const SignedAssertion& signed_assertion,
                                                 std::string_view request_sha256) = 0;
};

/// Signs with the daemon's own key and certificate. Executor's thread only.
class CertificateSigner final : public Signer {
 public:
  CertificateSigner(Clock& clock, Random& random) : clock_(clock), random_(random) {}
  /// Signs with these from now on: at the start and after each rotation. conflict when the
  /// certificate is for another key.
  [[nodiscard]] Status use(KeyPair key, const std::string& certificate_pem);
  [[nodiscard]] Result<SignedAssertion> sign(const Claim& claim,
                                             std::string_view request_sha256) override;

 private:
  Clock& clock_;
  Random& random_;
  std::optional<KeyPair> key_;
  std::string certificate_pem_;
  std::string uri_;
};

/// How far apart two hosts' clocks may be.
constexpr Duration kAssertionSkew = std::chrono::seconds(60);

/// Remembers nonces for as long as their assertions could be fresh. Bounded in time and, per daemon
/// and in all, in number; a full memory refuses, since forgetting would let a replay through.
class ReplayGuard {
 public:
  struct Limits {
    size_t per_daemon = 16'384;
    size_t total = 131'072;
  };
  explicit ReplayGuard(Duration keep) : ReplayGuard(keep, Limits{}) {}
  ReplayGuard(Duration keep, Limits limits) : keep_(keep), limits_(limits) {}

  /// Ok the first time that `daemon` uses `nonce` in an assertion made at `made`; unauthenticated
  /// after, and for whatever is not younger than a nonce that was forgotten: it only looks fresh
  /// when the clock has been set back. exhausted when full.
  [[nodiscard]] Status admit(MonoTime now, WallTime made, const std::string& daemon,
                             const std::string& nonce);
  [[nodiscard]] size_t size() const { return expiries_.size(); }

 private:
  void forget_old(MonoTime now);

  Duration keep_;
  Limits limits_;
  std::map<std::string, std::set<std::string>> nonces_;  ///< by daemon
  struct Held {
    std::string daemon;
    std::string nonce;
    WallTime made{};
  };
  std::multimap<MonoTime, Held> expiries_;
  WallTime forgotten_to_ = WallTime::min();  ///< when the newest forgotten one was made
};

/// Checks chain, validity, identity, signature, freshness and replay. Executor's thread only.
class CertificateVerifier final : public AssertionVerifier {
 public:
  /// `clock` outlives the verifier.
  CertificateVerifier(Clock& clock, Trust trust, std::string cluster);
  [[nodiscard]] Result<Assertion> verify(const SignedAssertion& signed_assertion,
                                         std::string_view request_sha256) override;

 private:
  /// A certificate whose chain was found good at `checked`.
  struct Known {
    Certificate certificate;
    WallTime checked{};
  };
  Result<Certificate> daemon_certificate(const std::string& pem, WallTime now);

  Clock& clock_;
  Trust trust_;
  std::string cluster_;
  ReplayGuard replays_;
  /// By their exact text: daemons forward one request after the other, and reading a certificate
  /// costs ten times what the rest of a check does.
  std::map<std::string, Known> known_;
};

}  // namespace drover::auth
