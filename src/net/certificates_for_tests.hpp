// Certificates for tests of net: a throw-away CA that issues what a test asks for.
#pragma once

#include "net/net.hpp"

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace drover::net::testing {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;

inline std::string bio_text(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return {data, static_cast<size_t>(size)};
}

inline void add_extension(X509& certificate, X509& issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

struct Issued {
  std::string certificate_pem;
  std::string key_pem;
};

/// What the issued certificate is to say.
struct Wanted {
  std::string uri = "drover://test/compute/n1";
  long valid_from_s = -3600;  ///< from now
  long valid_to_s = 3600;
  std::string usage = "serverAuth,clientAuth";
};

/// A self-signed ECDSA P-256 CA.
class TestCa {
 public:
  explicit TestCa(const std::string& name = "test CA") : key_(EVP_EC_gen("P-256")) {
    certificate_ = blank(name, -3600, 3600);
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    add_extension(*certificate_, *certificate_, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(*certificate_, *certificate_, NID_key_usage, "critical,keyCertSign");
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }

  [[nodiscard]] Issued issue(const Wanted& wanted = {}) const {
    const KeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate = blank("leaf", wanted.valid_from_s, wanted.valid_to_s);
    X509_set_pubkey(certificate.get(), key.get());
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
    if (!wanted.uri.empty()) {
      add_extension(*certificate, *certificate_, NID_subject_alt_name, "URI:" + wanted.uri);
    }
    add_extension(*certificate, *certificate_, NID_ext_key_usage, wanted.usage);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {pem_of(*certificate), bio_text(*bio)};
  }

  [[nodiscard]] std::string pem() const { return pem_of(*certificate_); }

  [[nodiscard]] std::string sha256() const {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    X509_digest(certificate_.get(), EVP_sha256(), digest, &size);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
      constexpr const char* kDigits = "0123456789ABCDEF";
      hex += kDigits[digest[i] >> 4];
      hex += kDigits[digest[i] & 15];
    }
    return hex;
  }

  /// Both ends' usual configuration: a certificate of this CA, trusting this CA.
  [[nodiscard]] SecurityConfig config(const Wanted& wanted = {}) const {
    Issued issued = issue(wanted);
    SecurityConfig config;
    config.certificate_pem = std::move(issued.certificate_pem);
    config.key_pem = std::move(issued.key_pem);
    config.trust_pem = pem();
    return config;
  }

 private:
  static X509Ptr blank(const std::string& name, long from_s, long to_s) {
    X509Ptr certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
  }
  static std::string pem_of(X509& certificate) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), &certificate);
    return bio_text(*bio);
  }

  KeyPtr key_;
  X509Ptr certificate_;
};

}  // namespace drover::net::testing
