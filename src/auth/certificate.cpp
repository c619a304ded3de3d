#include "auth/certificate.hpp"

#include "auth/certificate_handle.hpp"

#include <array>
#include <optional>

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace drover::auth {
namespace {

constexpr size_t kLongestPem = size_t{64} << 10;

/// The sole URI among the subject alternative names, "" when there is none.
Result<std::string> sole_uri(const X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::optional<std::string> uri;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (uri) return fail(Code::invalid_argument, "the certificate names two identities");
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uri.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return uri.value_or("");
}

Result<std::string> serial_hex(const X509* certificate) {
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (!number || BN_is_negative(number.get()) == 1) {
    return openssl_fail(Code::invalid_argument, "the certificate has no usable serial number");
  }
  std::string bytes(static_cast<size_t>(BN_num_bytes(number.get())), '\0');
  auto* raw = reinterpret_cast<unsigned char*>(bytes.data());
  BN_bn2bin(number.get(), raw);
  return to_hex(raw, bytes.size());
}

Result<PublicKey> key_of(X509* certificate) {
  PkeyPtr key(X509_get_pubkey(certificate));
  if (!key) return openssl_fail(Code::invalid_argument, "the certificate has no usable key");
  DROVER_CHECK_OK(require_p256(key.get()));
  DROVER_TRY(std::string digest, public_key_sha256(key.get()));
  return PublicKey(std::make_shared<KeyHandle>(KeyHandle{std::move(key)}), std::move(digest));
}

Result<std::string> fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return openssl_fail(Code::internal, "taking a certificate's fingerprint");
  }
  return to_hex(digest.data(), size);
}

}  // namespace

struct Trust::Store {
  X509StorePtr store;
};

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  if (pem.size() > kLongestPem) {
    return fail(Code::invalid_argument, "the certificate is longer than 64 KiB");
  }
  const BioPtr bio = read_from(pem);
  X509Ptr parsed(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!parsed) return openssl_fail(Code::invalid_argument, "not a certificate in PEM");
  DROVER_TRY(PublicKey key, key_of(parsed.get()));
  DROVER_TRY(std::string uri, sole_uri(parsed.get()));
  DROVER_TRY(std::string serial, serial_hex(parsed.get()));
  DROVER_TRY(std::string fingerprint, fingerprint_of(parsed.get()));
  DROVER_TRY(const WallTime not_before, wall_time(X509_get0_notBefore(parsed.get())));
  DROVER_TRY(const WallTime not_after, wall_time(X509_get0_notAfter(parsed.get())));
  const bool is_ca = X509_check_ca(parsed.get()) != 0;
  ERR_clear_error();

  Certificate certificate(std::make_shared<CertificateHandle>(CertificateHandle{std::move(parsed)}),
                          std::move(key));
  certificate.uri_ = std::move(uri);
  certificate.serial_ = std::move(serial);
  certificate.fingerprint_ = std::move(fingerprint);
  certificate.not_before_ = not_before;
  certificate.not_after_ = not_after;
  certificate.is_ca_ = is_ca;
  return certificate;
}

Result<tree::CertificateName> Certificate::identity() const {
  if (uri_.empty()) return fail(Code::invalid_argument, "the certificate names no identity");
  return tree::parse_certificate_uri(uri_);
}

Result<std::string> Certificate::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), handle_->certificate.get()) != 1) {
    return openssl_fail(Code::internal, "writing a certificate");
  }
  return written_to(bio.get());
}

Result<Trust> Trust::from_pem(std::string_view pem) {
  if (pem.size() > size_t{1} << 20) return fail(Code::too_large, "CA file is longer than 1 MiB");
  auto trust = std::make_shared<Store>();
  trust->store.reset(X509_STORE_new());
  if (!trust->store) return openssl_fail(Code::internal, "making a trust store");
  const BioPtr bio = read_from(pem);
  int count = 0;
  while (true) {
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    if (X509_STORE_add_cert(trust->store.get(), certificate.get()) != 1) {
      return openssl_fail(Code::invalid_argument, "adding a CA certificate");
    }
    ++count;
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!ended) return openssl_fail(Code::invalid_argument, "a CA certificate is damaged");
  ERR_clear_error();
  if (count == 0) return fail(Code::invalid_argument, "no CA certificate in PEM");
  return Trust(std::move(trust));
}

Status Trust::verify(const Certificate& certificate, WallTime now) const {
  if (certificate.is_ca()) {
    return fail(Code::unauthenticated, "a CA certificate cannot stand for a daemon or a person");
  }
  // Said before OpenSSL's terse form, since a wrong clock is the likely cause.
  if (now < certificate.not_before()) {
    return fail(
        Code::unauthenticated,
        fmt::format("the certificate of '{}' is not valid before {} and it is {} here",
                    certificate.uri(), to_rfc3339(certificate.not_before()), to_rfc3339(now)),
        "set the clocks of both hosts");
  }
  if (now >= certificate.not_after()) {
    return fail(
        Code::unauthenticated,
        fmt::format("the certificate of '{}' expired at {} and it is {} here", certificate.uri(),
                    to_rfc3339(certificate.not_after()), to_rfc3339(now)),
        "set the clock if it is wrong; else join again with a token of 'drover token create "
        "--replace'");
  }
  const X509StoreContextPtr context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store_->store.get(),
                                      certificate.handle().certificate.get(), nullptr) != 1) {
    return openssl_fail(Code::internal, "preparing to verify a certificate");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(
      parameters, std::chrono::system_clock::to_time_t(
                      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now)));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(context.get()) == 1) return {};
  const int reason = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (reason == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
      reason == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
      reason == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
      reason == X509_V_ERR_CERT_SIGNATURE_FAILURE) {
    return fail(Code::unauthenticated,
                fmt::format("the certificate of '{}' was not issued by this cluster's CA ({})",
                            certificate.uri(), X509_verify_cert_error_string(reason)));
  }
  return fail(Code::unauthenticated,
              fmt::format("the certificate of '{}' is refused: {}", certificate.uri(),
                          X509_verify_cert_error_string(reason)));
}

}  // namespace drover::auth
