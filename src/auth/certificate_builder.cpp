#include "auth/certificate_builder.hpp"

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

namespace drover::auth {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

time_t seconds_of(WallTime time) {
  return static_cast<time_t>(
      std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

/// A GENERAL_NAME of text kind (URI, DNS), which must be ASCII without controls or blanks.
Result<GeneralNamePtr> text_name(int type, std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c >= 127) {
      return fail(Code::invalid_argument, "a certificate name holds a byte that is not allowed");
    }
  }
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  if (!name || value == nullptr ||
      ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(value);
    return openssl_fail(Code::internal, "making a certificate name");
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  return name;
}

Result<GeneralNamePtr> address_name(const std::string& address) {
  ASN1_OCTET_STRING* value = a2i_IPADDRESS(address.c_str());
  if (value == nullptr) {
    return openssl_fail(Code::invalid_argument, fmt::format("'{}' is not an IP address", address));
  }
  GeneralNamePtr name(GENERAL_NAME_new());
  if (!name) {
    ASN1_OCTET_STRING_free(value);
    return openssl_fail(Code::internal, "making a certificate name");
  }
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value);
  return name;
}

Status push(GENERAL_NAMES* names, Result<GeneralNamePtr> name) {
  if (!name) return tl::unexpected(std::move(name).error());
  if (sk_GENERAL_NAME_push(names, name->get()) <= 0) {
    return openssl_fail(Code::internal, "adding a certificate name");
  }
  static_cast<void>(name->release());  // the stack owns it now
  return {};
}

Status fill(GENERAL_NAMES* names, std::string_view uri, const std::vector<std::string>& dns_names,
            const std::vector<std::string>& ip_addresses) {
  DROVER_CHECK_OK(push(names, text_name(GEN_URI, uri)));
  for (const std::string& dns : dns_names) DROVER_CHECK_OK(push(names, text_name(GEN_DNS, dns)));
  for (const std::string& ip : ip_addresses) DROVER_CHECK_OK(push(names, address_name(ip)));
  return {};
}

}  // namespace

CertificateBuilder::CertificateBuilder() : certificate_(X509_new()) {
  expect(certificate_ && X509_set_version(certificate_.get(), X509_VERSION_3) == 1, "starting");
}

void CertificateBuilder::expect(bool ok, std::string_view doing) {
  if (ok || !status_) return;
  status_ = openssl_fail(Code::internal, fmt::format("making a certificate, {}", doing));
}

CertificateBuilder& CertificateBuilder::serial(const unsigned char* bytes, size_t size) {
  if (!status_) return *this;
  const BignumPtr number(BN_bin2bn(bytes, static_cast<int>(size), nullptr));
  expect(number &&
             BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate_.get())) != nullptr,
         "serial number");
  return *this;
}

CertificateBuilder& CertificateBuilder::subject(std::string_view common_name) {
  if (!status_) return *this;
  const std::string_view text = common_name.substr(0, 64);  // ub-common-name, RFC 5280 appendix A
  const NamePtr name(X509_NAME_new());
  expect(name &&
             X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_ASC, bytes_of(text),
                                        static_cast<int>(text.size()), -1, 0) == 1 &&
             X509_set_subject_name(certificate_.get(), name.get()) == 1,
         "subject");
  return *this;
}

CertificateBuilder& CertificateBuilder::issuer(X509* issuer) {
  if (!status_) return *this;
  issuer_ = issuer != nullptr ? issuer : certificate_.get();
  expect(X509_set_issuer_name(certificate_.get(), X509_get_subject_name(issuer_)) == 1, "issuer");
  return *this;
}

CertificateBuilder& CertificateBuilder::valid(WallTime from, WallTime to) {
  if (!status_) return *this;
  expect(ASN1_TIME_set(X509_getm_notBefore(certificate_.get()), seconds_of(from)) != nullptr &&
             ASN1_TIME_set(X509_getm_notAfter(certificate_.get()), seconds_of(to)) != nullptr,
         "validity");
  return *this;
}

CertificateBuilder& CertificateBuilder::key(EVP_PKEY* key) {
  if (!status_) return *this;
  // As X509_set_pubkey does, which has OpenSSL encode the key and decode it again.
  const std::string point = plain_p256_point(key);
  if (point.empty()) {
    expect(X509_set_pubkey(certificate_.get(), key) == 1, "key");
    return *this;
  }
  auto* bytes = static_cast<unsigned char*>(OPENSSL_memdup(point.data(), point.size()));
  const bool set =
      bytes != nullptr && X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate_.get()),
                                                 OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
                                                 V_ASN1_OBJECT, OBJ_nid2obj(NID_X9_62_prime256v1),
                                                 bytes, static_cast<int>(point.size())) == 1;
  if (!set) OPENSSL_free(bytes);
  expect(set, "key");
  return *this;
}

CertificateBuilder& CertificateBuilder::extension(int nid, const char* value) {
  if (!status_) return *this;
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer_, certificate_.get(), nullptr, nullptr, 0);
  const X509ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  expect(made && X509_add_ext(certificate_.get(), made.get(), -1) == 1, value);
  return *this;
}

CertificateBuilder& CertificateBuilder::alternative_names(
    std::string_view uri, const std::vector<std::string>& dns_names,
    const std::vector<std::string>& ip_addresses) {
  if (!status_) return *this;
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  expect(names != nullptr, "names");
  if (names && status_) status_ = fill(names.get(), uri, dns_names, ip_addresses);
  if (status_) {
    expect(X509_add1_ext_i2d(certificate_.get(), NID_subject_alt_name, names.get(), 0,
                             X509V3_ADD_DEFAULT) == 1,
           "names");
  }
  return *this;
}

Result<std::string> CertificateBuilder::sign(EVP_PKEY* issuer_key) {
  if (status_) expect(X509_sign(certificate_.get(), issuer_key, EVP_sha256()) > 0, "signing");
  if (!status_) return tl::unexpected(status_.error());
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate_.get()) != 1) {
    return openssl_fail(Code::internal, "writing a certificate");
  }
  return written_to(bio.get());
}

}  // namespace drover::auth
