#include "auth/keys.hpp"

#include "auth/openssl.hpp"
#include "auth/plain_request.hpp"

#include <array>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace drover::auth {
namespace {

constexpr size_t kLongestPem = size_t{16} << 10;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// OpenSSL asks for a pass phrase on the terminal unless a callback says there is none.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

Result<PublicKey> public_key_of(PkeyPtr key) {
  DROVER_CHECK_OK(require_p256(key.get()));
  DROVER_TRY(std::string digest, public_key_sha256(key.get()));
  return PublicKey(std::make_shared<KeyHandle>(KeyHandle{std::move(key)}), std::move(digest));
}

Result<KeyPair> key_pair_of(PkeyPtr key) {
  DROVER_CHECK_OK(require_p256(key.get()));
  DROVER_TRY(std::string digest, public_key_sha256(key.get()));
  auto handle = std::make_shared<const KeyHandle>(KeyHandle{std::move(key)});
  PublicKey public_key(handle, std::move(digest));
  return KeyPair(std::move(handle), std::move(public_key));
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(bytes_of(bytes), bytes.size(), digest.data());
  return to_hex(digest.data(), digest.size());
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

PublicKey::PublicKey(std::shared_ptr<const KeyHandle> handle, std::string sha256)
    : handle_(std::move(handle)), sha256_(std::move(sha256)) {}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  if (pem.size() > kLongestPem) return fail(Code::too_large, "a public key is longer than 16 KiB");
  const BioPtr bio = read_from(pem);
  PkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!key) return openssl_fail(Code::invalid_argument, "not a public key in PEM");
  return public_key_of(std::move(key));
}

Status PublicKey::verify(std::string_view message, std::string_view signature) const {
  const MdContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                       handle_->key.get()) != 1) {
    return openssl_fail(Code::internal, "preparing to verify a signature");
  }
  if (EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                       message.size()) != 1) {
    return openssl_fail(Code::denied, "the signature does not fit the key and the message");
  }
  return {};
}

Result<std::string> PublicKey::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), handle_->key.get()) != 1) {
    return openssl_fail(Code::internal, "writing a public key");
  }
  return written_to(bio.get());
}

KeyPair::KeyPair(std::shared_ptr<const KeyHandle> handle, PublicKey public_key)
    : handle_(std::move(handle)), public_key_(std::move(public_key)) {}

Result<KeyPair> KeyPair::make() {
  PkeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_fail(Code::internal, "making a P-256 key");
  return key_pair_of(std::move(key));
}

Result<KeyPair> KeyPair::from_pem(std::string_view pem) {
  if (pem.size() > size_t{1} << 20) return fail(Code::too_large, "a key file is longer than 1 MiB");
  const BioPtr bio = read_from(pem);
  PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!key) return openssl_fail(Code::invalid_argument, "not a private key in PEM");
  return key_pair_of(std::move(key));
}

Result<KeyPair> KeyPair::load(Disk& disk, const std::string& path) {
  DROVER_TRY(const std::string pem, disk.read_all(path, size_t{1} << 20));
  auto key = from_pem(pem);
  if (!key) return fail_in("reading " + path, std::move(key).error());
  return key;
}

Status KeyPair::save(Disk& disk, const std::string& path) const {
  DROVER_TRY(const std::string text, pem());
  return disk.write_atomic(path, text, 0600);
}

Result<std::string> KeyPair::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), handle_->key.get(), nullptr, nullptr, 0,
                                            nullptr, nullptr) != 1) {
    return openssl_fail(Code::internal, "writing a private key");
  }
  return written_to(bio.get());
}

Result<std::string> KeyPair::sign(std::string_view message) const {
  const MdContextPtr context(EVP_MD_CTX_new());
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, handle_->key.get()) != 1) {
    return openssl_fail(Code::internal, "preparing to sign");
  }
  // 72 bytes are the most that a DER signature on P-256 takes.
  std::string signature(80, '\0');
  size_t size = signature.size();
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(message), message.size()) != 1) {
    return openssl_fail(Code::internal, "signing");
  }
  signature.resize(size);
  return signature;
}

Result<std::string> make_csr(const KeyPair& key, std::string_view name) {
  const X509ReqPtr request(X509_REQ_new());
  const NamePtr subject(X509_NAME_new());
  if (!request || !subject) return openssl_fail(Code::internal, "making a signing request");
  const std::string_view common_name = name.substr(0, 64);  // ub-common-name, RFC 5280 appendix A
  if (X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_ASC, bytes_of(common_name),
                                 static_cast<int>(common_name.size()), -1, 0) != 1 ||
      X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(request.get(), subject.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.handle().key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.handle().key.get(), EVP_sha256()) <= 0) {
    return openssl_fail(Code::invalid_argument, "making a signing request");
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return openssl_fail(Code::internal, "writing a signing request");
  }
  return written_to(bio.get());
}

namespace {

/// The DER of a "CERTIFICATE REQUEST"; empty for anything else.
std::string request_der(std::string_view csr_pem) {
  const BioPtr bio = read_from(csr_pem);
  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  std::string out;
  if (PEM_read_bio(bio.get(), &kind, &header, &bytes, &size) == 1 &&
      std::string_view(kind) == PEM_STRING_X509_REQ && *header == '\0') {
    out.assign(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  OPENSSL_free(kind);
  OPENSSL_free(header);
  OPENSSL_free(bytes);
  ERR_clear_error();
  return out;
}

}  // namespace

Result<PublicKey> verify_csr(std::string_view csr_pem) {
  if (csr_pem.size() > kLongestPem) {
    return fail(Code::invalid_argument, "the signing request is longer than 16 KiB");
  }
  const std::string der = request_der(csr_pem);
  if (const auto plain = read_plain_request(der)) {
    DROVER_TRY(PkeyPtr key, p256_key(plain->point));
    DROVER_TRY(PublicKey out, public_key_of(std::move(key)));
    if (out.verify(plain->signed_part, plain->signature)) return out;
    return fail(Code::invalid_argument,
                "the signing request is not signed by the key that it names");
  }
  const BioPtr bio = read_from(csr_pem);
  const X509ReqPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!request) return openssl_fail(Code::invalid_argument, "not a signing request in PEM");
  PkeyPtr key(X509_REQ_get_pubkey(request.get()));
  if (!key) return openssl_fail(Code::invalid_argument, "the signing request has no usable key");
  DROVER_CHECK_OK(require_p256(key.get()));
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    return openssl_fail(Code::invalid_argument,
                        "the signing request is not signed by the key that it names");
  }
  return public_key_of(std::move(key));
}

}  // namespace drover::auth
