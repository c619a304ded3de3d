// ECDSA P-256 keys: make, store, sign, verify; certificate signing requests as proof of possession.
// Key generation and signing draw from OpenSSL's own generator: beside TLS, the one place where
// randomness does not come from the Random seam. The simulator therefore never reaches this file.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::auth {

struct KeyHandle;

/// SHA-256 as 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// Compares in a time that depends on the lengths alone, so that a secret cannot be guessed
/// bytewise.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// A public key. Immutable and cheap to copy; any thread.
class PublicKey {
 public:
  /// From "BEGIN PUBLIC KEY". invalid_argument when it is not a P-256 key in PEM.
  static Result<PublicKey> from_pem(std::string_view pem);
  /// For this room: takes a share of an OpenSSL key that was checked to be P-256.
  PublicKey(std::shared_ptr<const KeyHandle> handle, std::string sha256);

  /// Whether `signature` (DER, RFC 3279 section 2.2.3) is this key's over SHA-256 of `message`.
  /// denied when it is not, or is not a signature at all.
  [[nodiscard]] Status verify(std::string_view message, std::string_view signature) const;
  [[nodiscard]] Result<std::string> pem() const;
  /// Names the key: SHA-256 over its SubjectPublicKeyInfo, 64 hex digits.
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] const KeyHandle& handle() const { return *handle_; }
  [[nodiscard]] const std::shared_ptr<const KeyHandle>& shared_handle() const { return handle_; }

 private:
  std::shared_ptr<const KeyHandle> handle_;
  std::string sha256_;
};

/// A private key with its public half. Immutable and cheap to copy; any thread.
class KeyPair {
 public:
  static Result<KeyPair> make();
  /// From PKCS #8 or SEC 1 PEM without a pass phrase; other blocks before it are skipped.
  static Result<KeyPair> from_pem(std::string_view pem);
  static Result<KeyPair> load(Disk& disk, const std::string& path);
  /// For this room: takes a share of an OpenSSL key that was checked to be P-256.
  KeyPair(std::shared_ptr<const KeyHandle> handle, PublicKey public_key);

  /// Writes PKCS #8 PEM as one step, mode 0600.
  [[nodiscard]] Status save(Disk& disk, const std::string& path) const;
  /// PKCS #8 PEM. Secret: keep it out of logs.
  [[nodiscard]] Result<std::string> pem() const;
  /// ECDSA over SHA-256 of `message`, DER; about 70 to 72 bytes, different each time.
  [[nodiscard]] Result<std::string> sign(std::string_view message) const;
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const KeyHandle& handle() const { return *handle_; }

 private:
  std::shared_ptr<const KeyHandle> handle_;
  PublicKey public_key_;
};

/// A signing request (PKCS #10, RFC 2986) for `key` in PEM, its subject CN=`name` for people only:
/// whoever signs decides the identity.
Result<std::string> make_csr(const KeyPair& key, std::string_view name);

/// The key of a signing request whose signature proves that the asker holds the private half.
/// invalid_argument for anything else, over 16 KiB included.
Result<PublicKey> verify_csr(std::string_view csr_pem);

}  // namespace drover::auth
