// Puts X.509 certificates together, field by field, and signs them; for this room's .cpp files
// alone.
#pragma once

#include "auth/keys.hpp"
#include "auth/openssl.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// A certificate under construction. The first failure is kept and returned by sign().
class CertificateBuilder {
 public:
  CertificateBuilder();

  CertificateBuilder& serial(const unsigned char* bytes, size_t size);
  CertificateBuilder& subject(std::string_view common_name);
  /// The issuer whose name and key id go in; null: self-signed (needs subject() and key() before).
  CertificateBuilder& issuer(X509* issuer);
  CertificateBuilder& valid(WallTime from, WallTime to);
  CertificateBuilder& key(EVP_PKEY* key);
  /// An extension in OpenSSL's configuration syntax; only for constant texts.
  CertificateBuilder& extension(int nid, const char* value);
  CertificateBuilder& alternative_names(std::string_view uri,
                                        const std::vector<std::string>& dns_names,
                                        const std::vector<std::string>& ip_addresses);
  /// Signs with ECDSA over SHA-256 and yields PEM.
  Result<std::string> sign(EVP_PKEY* issuer_key);

 private:
  void expect(bool ok, std::string_view doing);

  X509Ptr certificate_;
  X509* issuer_ = nullptr;
  Status status_;
};

}  // namespace drover::auth
