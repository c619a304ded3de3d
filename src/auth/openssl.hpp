// OpenSSL's C objects as owned values, and its error queue as an Error. For this room's .cpp files
// alone: public headers name no OpenSSL type.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace drover::auth {

/// Calls the C function that frees a T.
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using MdContextPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using X509StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, Freed<GENERAL_NAME_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using NamePtr = std::unique_ptr<X509_NAME, Freed<X509_NAME_free>>;

/// `what`, followed by the first reason in OpenSSL's queue of this thread; empties the queue.
tl::unexpected<Error> openssl_fail(Code code, std::string_view what);

/// A BIO that reads `text`, which must outlive it.
BioPtr read_from(std::string_view text);
/// What was written to a memory BIO.
std::string written_to(BIO* bio);

/// A certificate's time. Times beyond what WallTime can hold (years 1677 to 2262) are clamped.
Result<WallTime> wall_time(const ASN1_TIME* time);

std::string to_hex(const unsigned char* bytes, size_t size);

/// SHA-256 over the DER form of the public key (SubjectPublicKeyInfo), lower-case hex.
Result<std::string> public_key_sha256(EVP_PKEY* key);
/// The uncompressed point of a P-256 key that is written so; empty for any other key.
std::string plain_p256_point(EVP_PKEY* key);
/// The public key of such a point; invalid_argument when it is none of the curve's.
Result<PkeyPtr> p256_key(std::string_view point);
/// Refuses everything but ECDSA on P-256, the one algorithm that Drover uses.
Status require_p256(const EVP_PKEY* key);

/// Where private and public keys hide their OpenSSL handle from public headers.
struct KeyHandle {
  PkeyPtr key;
};

}  // namespace drover::auth
