// The cluster's certificate authority: made by the first master, signs every daemon's certificate.
#pragma once

#include "auth/certificate.hpp"
#include "auth/keys.hpp"
#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// Lifetime of a daemon's certificate unless the cluster's settings say otherwise.
constexpr Duration kDefaultLifetime = std::chrono::hours(7 * 24);
/// A certificate is valid from this long before it was made, for hosts whose clocks run behind.
constexpr Duration kClockSlack = std::chrono::minutes(5);

/// 128 random bits; RFC 5280 section 4.1.2.2 allows 20 octets.
using Serial = std::array<unsigned char, 16>;
Serial draw_serial(Random& random);

/// What a certificate shall say. Nothing in it is taken from the signing request but the key.
struct IssueRequest {
  std::string csr_pem;
  std::string cluster;
  std::string role;  ///< a tree::Role's name, or viewer, operator, admin for a person
  std::string name;
  std::vector<std::string> dns_names;     ///< e.g. "localhost"; for servers that browsers visit
  std::vector<std::string> ip_addresses;  ///< "127.0.0.1", "::1"
  Serial serial{};                        ///< from draw_serial()
  WallTime now{};
  Duration lifetime = kDefaultLifetime;  ///< cut at the CA's own end
};

struct IssuedCertificate {
  std::string certificate_pem;
  std::string uri;
  std::string serial;      ///< lower-case hex
  std::string key_sha256;  ///< of the public key
  WallTime not_before{};
  WallTime not_after{};
};

/// Signs certificates. issue() and csr_key() may be called from any thread.
class Authority {
 public:
  Authority() = default;
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  virtual ~Authority() = default;

  /// invalid_argument for a bad signing request, identity, address or lifetime.
  [[nodiscard]] virtual Result<IssuedCertificate> issue(const IssueRequest& request) const = 0;
  /// The fingerprint of the key in a signing request that proves possession of it.
  [[nodiscard]] virtual Result<std::string> csr_key(std::string_view csr_pem) const = 0;
  [[nodiscard]] virtual const std::string& ca_pem() const = 0;
  /// SHA-256 over the CA certificate's DER form, 64 hex digits: what a join token pins.
  [[nodiscard]] virtual const std::string& ca_fingerprint() const = 0;
};

/// The real form, on files of one folder: ca.key (0600), ca.pem and ca.sha256, the seal that is
/// written last. Before the seal nothing was ever issued and a half-made CA is completed; after it
/// a missing or changed file is an error, never a new CA.
class CertificateAuthority final : public Authority {
 public:
  /// Opens the CA in `dir` (made 0700 when absent), or makes one for `cluster_id` that lasts ten
  /// years. corrupt when what is there does not fit together; conflict when it is another
  /// cluster's.
  static Result<std::unique_ptr<CertificateAuthority>> open_or_create(Disk& disk, Random& random,
                                                                      const std::string& dir,
                                                                      std::string_view cluster_id,
                                                                      WallTime now);

  [[nodiscard]] Result<IssuedCertificate> issue(const IssueRequest& request) const override;
  [[nodiscard]] Result<std::string> csr_key(std::string_view csr_pem) const override;
  [[nodiscard]] const std::string& ca_pem() const override { return pem_; }
  [[nodiscard]] const std::string& ca_fingerprint() const override {
    return certificate_.fingerprint();
  }

 private:
  CertificateAuthority(KeyPair key, Certificate certificate, std::string pem)
      : key_(std::move(key)), certificate_(std::move(certificate)), pem_(std::move(pem)) {}

  KeyPair key_;
  Certificate certificate_;
  std::string pem_;
};

}  // namespace drover::auth
