#include "auth/assertion.hpp"

#include "base/text.hpp"

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::string_view kMagic = "drover-assertion-1";
constexpr size_t kLongest = size_t{8} << 10;
constexpr size_t kNonceBytes = 16;

void put_number(std::string& out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size(), 4);
  out += text;
}

/// Takes fields off the front; stays failed after the first that is not there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  uint64_t number(size_t bytes) {
    uint64_t value = 0;
    for (const char c : take(bytes)) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
  }
  std::string text() { return std::string(take(number(4))); }
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(size_t bytes) {
    if (!ok_ || bytes > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view out = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return out;
  }

  std::string_view rest_;
  bool ok_ = true;
};

tl::unexpected<Error> not_accepted(std::string why) {
  return fail(Code::unauthenticated, std::move(why));
}

bool is_nonce(std::string_view text) {
  return text.size() == kNonceBytes * 2 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The daemon behind a certificate of this cluster that is valid now.
Result<Certificate> read_daemon_certificate(const std::string& pem, const Trust& trust,
                                            std::string_view cluster, WallTime now) {
  auto certificate = Certificate::from_pem(pem);
  if (!certificate) return not_accepted(certificate.error().text());
  DROVER_CHECK_OK(trust.verify(*certificate, now));
  auto identity = certificate->identity();
  if (!identity) return not_accepted(identity.error().text());
  if (identity->cluster != cluster) {
    return not_accepted(fmt::format("the certificate is of cluster '{}', this is '{}'",
                                    identity->cluster, cluster));
  }
  if (!tree::role_from_name(identity->role)) {
    return not_accepted(
        fmt::format("'{}' is no daemon and cannot vouch for callers", certificate->uri()));
  }
  return certificate;
}

Status check_fresh(const Assertion& assertion, WallTime now) {
  const Duration apart = assertion.time > now ? assertion.time - now : now - assertion.time;
  if (apart <= kAssertionSkew) return {};
  return fail(Code::unauthenticated,
              fmt::format("the assertion of '{}' was made at {} and it is {} here: more than {} s "
                          "apart",
                          assertion.daemon_uri, to_rfc3339(assertion.time), to_rfc3339(now),
                          std::chrono::duration_cast<std::chrono::seconds>(kAssertionSkew).count()),
              "set the clocks of both hosts");
}

}  // namespace

std::string request_hash(std::string_view method, std::string_view target, std::string_view body) {
  std::string bytes;
  bytes.reserve(method.size() + target.size() + body.size() + 24);
  for (const std::string_view part : {method, target, body}) {
    put_number(bytes, part.size(), 8);
    bytes += part;
  }
  return sha256_hex(bytes);
}

std::string canonical_bytes(const Assertion& assertion) {
  std::string out(kMagic);
  put_text(out, assertion.daemon_uri);
  put_number(out, assertion.claim.uid, 8);
  put_number(out, assertion.claim.gid, 8);
  put_text(out, assertion.claim.user);
  put_number(out, assertion.claim.daemon_itself ? 1 : 0, 8);
  put_text(out, assertion.request_sha256);
  put_number(out, static_cast<uint64_t>(to_unix_ms(assertion.time)), 8);
  put_text(out, assertion.nonce);
  return out;
}

Result<Assertion> parse_assertion(std::string_view bytes) {
  if (bytes.size() > kLongest || !bytes.starts_with(kMagic)) {
    return fail(Code::invalid_argument, "not an assertion of this version");
  }
  Reader reader(bytes.substr(kMagic.size()));
  Assertion out;
  out.daemon_uri = reader.text();
  const uint64_t uid = reader.number(8);
  const uint64_t gid = reader.number(8);
  out.claim.user = reader.text();
  const uint64_t itself = reader.number(8);
  out.request_sha256 = reader.text();
  const uint64_t time_ms = reader.number(8);
  out.nonce = reader.text();
  // The year 2262 is the end of WallTime.
  constexpr uint64_t kLatestMs = uint64_t{INT64_MAX} / 1'000'000;
  if (!reader.complete() || uid > UINT32_MAX || gid > UINT32_MAX || itself > 1 ||
      time_ms > kLatestMs || !is_nonce(out.nonce)) {
    return fail(Code::invalid_argument, "the assertion is damaged");
  }
  out.claim.uid = static_cast<uint32_t>(uid);
  out.claim.gid = static_cast<uint32_t>(gid);
  out.claim.daemon_itself = itself == 1;
  out.time = from_unix_ms(static_cast<int64_t>(time_ms));
  return out;
}

Status CertificateSigner::use(KeyPair key, const std::string& certificate_pem) {
  DROVER_TRY(const Certificate certificate, Certificate::from_pem(certificate_pem));
  if (certificate.public_key().sha256() != key.public_key().sha256()) {
    return fail(Code::conflict,
                fmt::format("the certificate of '{}' is for another key", certificate.uri()));
  }
  key_ = std::move(key);
  certificate_pem_ = certificate_pem;
  uri_ = certificate.uri();
  return {};
}

Result<SignedAssertion> CertificateSigner::sign(const Claim& claim,
                                                std::string_view request_sha256) {
  if (!key_) return fail(Code::internal, "this daemon has no certificate to vouch with yet");
  const Assertion assertion{uri_, claim, std::string(request_sha256),
                            from_unix_ms(to_unix_ms(clock_.wall())), random_.hex(kNonceBytes)};
  SignedAssertion out;
  out.assertion = canonical_bytes(assertion);
  DROVER_TRY(out.signature, key_->sign(out.assertion));
  out.certificate_pem = certificate_pem_;
  return out;
}

Status ReplayGuard::admit(MonoTime now, WallTime made, const std::string& daemon,
                          const std::string& nonce) {
  forget_old(now);
  if (made <= forgotten_to_) {
    return fail(
        Code::unauthenticated,
        fmt::format("the assertion of '{}' was made at {}, for which replays can no longer "
                    "be told: the clock was set back",
                    daemon, to_rfc3339(made)),
        "try again after " + to_rfc3339(forgotten_to_) +
            ", ask on the master's own host, or restart the master once its clock is right");
  }
  const auto known = nonces_.find(daemon);
  if (known != nonces_.end() && known->second.contains(nonce)) {
    return fail(Code::unauthenticated,
                fmt::format("the assertion of '{}' was used before", daemon));
  }
  const size_t held = known == nonces_.end() ? 0 : known->second.size();
  if (held >= limits_.per_daemon || expiries_.size() >= limits_.total) {
    return fail(Code::exhausted,
                fmt::format("'{}' forwards more requests than can be checked for replays", daemon),
                "try again in two minutes");
  }
  nonces_[daemon].insert(nonce);
  expiries_.emplace(now + keep_, Held{daemon, nonce, made});
  return {};
}

void ReplayGuard::forget_old(MonoTime now) {
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const Held& old = expiries_.begin()->second;
    forgotten_to_ = std::max(forgotten_to_, old.made);
    const auto known = nonces_.find(old.daemon);
    known->second.erase(old.nonce);
    if (known->second.empty()) nonces_.erase(known);
    expiries_.erase(expiries_.begin());
  }
}

// An assertion stays fresh for at most twice the skew: made by a clock that runs ahead by all of
// it.
CertificateVerifier::CertificateVerifier(Clock& clock, Trust trust, std::string cluster)
    : clock_(clock),
      trust_(std::move(trust)),
      cluster_(std::move(cluster)),
      replays_(2 * kAssertionSkew + std::chrono::seconds(1)) {}

/// Good for a minute: the chain is looked at again when a CA's own time may have ended meanwhile. A
/// revoked daemon is found by whoever asks, each time.
Result<Certificate> CertificateVerifier::daemon_certificate(const std::string& pem, WallTime now) {
  constexpr Duration kGood = std::chrono::minutes(1);
  constexpr size_t kMostKnown = 1024;
  const auto it = known_.find(pem);
  if (it != known_.end()) {
    const Certificate& held = it->second.certificate;
    const bool is_fresh = now >= it->second.checked && now - it->second.checked < kGood;
    if (is_fresh && now >= held.not_before() && now < held.not_after()) return held;
    known_.erase(it);
  }
  DROVER_TRY(Certificate certificate, read_daemon_certificate(pem, trust_, cluster_, now));
  if (known_.size() >= kMostKnown) known_.clear();  // more daemons than any cluster has
  known_.insert_or_assign(pem, Known{certificate, now});
  return certificate;
}

Result<Assertion> CertificateVerifier::verify(const SignedAssertion& signed_assertion,
                                              std::string_view request_sha256) {
  const WallTime now = clock_.wall();
  DROVER_TRY(const Certificate certificate,
             daemon_certificate(signed_assertion.certificate_pem, now));
  if (!certificate.public_key().verify(signed_assertion.assertion, signed_assertion.signature)) {
    return not_accepted(
        fmt::format("the signature is not that of '{}' over this assertion", certificate.uri()));
  }
  auto assertion = parse_assertion(signed_assertion.assertion);
  if (!assertion) return not_accepted(assertion.error().message);
  if (assertion->daemon_uri != certificate.uri()) {
    return not_accepted(
        fmt::format("'{}' signed as '{}'", certificate.uri(), printable(assertion->daemon_uri)));
  }
  DROVER_CHECK_OK(check_fresh(*assertion, now));
  if (assertion->request_sha256 != request_sha256) {
    return not_accepted(
        fmt::format("'{}' vouched for another request than this one", certificate.uri()));
  }
  DROVER_CHECK_OK(
      replays_.admit(clock_.now(), assertion->time, assertion->daemon_uri, assertion->nonce));
  assertion->daemon_key_sha256 = certificate.public_key().sha256();
  assertion->daemon_expires = certificate.not_after();
  return assertion;
}

}  // namespace drover::auth
