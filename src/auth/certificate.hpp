// X.509 certificates as the product sees them: who, until when, signed by whom.
#pragma once

#include "auth/keys.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "tree/hello.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::auth {

struct CertificateHandle;

/// One parsed certificate; parsing proves nothing, see Trust::verify. Immutable, cheap to copy.
class Certificate {
 public:
  /// The first certificate of a PEM text; other blocks are skipped. invalid_argument when there is
  /// none, when it names two identities, or over 64 KiB.
  static Result<Certificate> from_pem(std::string_view pem);

  /// The sole URI subject alternative name, e.g. "drover://cluster/compute/n1"; empty without one.
  [[nodiscard]] const std::string& uri() const { return uri_; }
  /// The identity in the URI; invalid_argument when it is not one of Drover's.
  [[nodiscard]] Result<tree::CertificateName> identity() const;
  /// Serial number, lower-case hex.
  [[nodiscard]] const std::string& serial() const { return serial_; }
  [[nodiscard]] WallTime not_before() const { return not_before_; }
  [[nodiscard]] WallTime not_after() const { return not_after_; }
  /// SHA-256 over the DER form, 64 hex digits.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] bool is_ca() const { return is_ca_; }
  [[nodiscard]] Result<std::string> pem() const;
  [[nodiscard]] const CertificateHandle& handle() const { return *handle_; }

 private:
  Certificate(std::shared_ptr<const CertificateHandle> handle, PublicKey public_key)
      : handle_(std::move(handle)), public_key_(std::move(public_key)) {}

  std::shared_ptr<const CertificateHandle> handle_;
  PublicKey public_key_;
  std::string uri_;
  std::string serial_;
  std::string fingerprint_;
  WallTime not_before_{};
  WallTime not_after_{};
  bool is_ca_ = false;
};

/// The CA certificates that others are checked against. Immutable, cheap to copy; any thread.
class Trust {
 public:
  /// One or more CA certificates in PEM. invalid_argument when there is none.
  static Result<Trust> from_pem(std::string_view pem);

  /// Whether `certificate` is a daemon's or person's (not a CA's), chains to one of these CAs, may
  /// be used by a client, and is valid at `now`. unauthenticated with the reason in words
  /// otherwise.
  [[nodiscard]] Status verify(const Certificate& certificate, WallTime now) const;

 private:
  struct Store;
  explicit Trust(std::shared_ptr<const Store> store) : store_(std::move(store)) {}
  std::shared_ptr<const Store> store_;
};

}  // namespace drover::auth
