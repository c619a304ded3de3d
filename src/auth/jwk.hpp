// Public keys that check bearer tokens, and sets of them as JWKS documents (RFC 7517).
#pragma once

#include "auth/jws.hpp"
#include "auth/keys.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// Longest JWKS document, in bytes.
inline constexpr size_t kMaxJwks = size_t{256} << 10;
/// Most keys of one document.
inline constexpr size_t kMostJwks = 100;
/// RSA keys from this length on are taken (NIST SP 800-131A), up to the next: checking gets slow.
inline constexpr int kLeastRsaBits = 2048;
inline constexpr int kMostRsaBits = 8192;

/// A key and the one algorithm that it may be used with. Immutable, cheap to copy; any thread.
class VerificationKey {
 public:
  VerificationKey(std::string key_id, const PublicKey& key);
  VerificationKey(std::string key_id, JwsAlgorithm algorithm,
                  std::shared_ptr<const KeyHandle> handle)
      : id_(std::move(key_id)), algorithm_(algorithm), handle_(std::move(handle)) {}

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] JwsAlgorithm algorithm() const { return algorithm_; }
  /// unauthenticated when the text says another algorithm or the signature is not this key's.
  [[nodiscard]] Status verify(const Jws& jws) const;

 private:
  std::string id_;
  JwsAlgorithm algorithm_;
  std::shared_ptr<const KeyHandle> handle_;
};

/// Signs `payload` with ES256: the compact form.
Result<std::string> sign_jws(const KeyPair& key, std::string_view key_id, std::string_view payload);

/// The keys that an issuer signs with. Immutable after parse(); cheap to copy.
class KeySet {
 public:
  KeySet() = default;
  explicit KeySet(std::vector<VerificationKey> keys) : keys_(std::move(keys)) {}

  /// Reads a JWKS. Keys for other purposes (encryption, other curves and algorithms) are passed
  /// over. invalid_argument when it is no JWKS, holds a broken or weak key, two of one name, or no
  /// usable key at all; too_large over the limits.
  static Result<KeySet> parse(std::string_view text);

  /// The key of that id and algorithm; without an id the only one of the algorithm. Null: none.
  [[nodiscard]] const VerificationKey* find(std::string_view key_id, JwsAlgorithm algorithm) const;
  [[nodiscard]] const std::vector<VerificationKey>& keys() const { return keys_; }

 private:
  std::vector<VerificationKey> keys_;
};

/// One ECDSA P-256 key as a JWK object's JSON text.
Result<std::string> to_jwk(const PublicKey& key, std::string_view key_id);

}  // namespace drover::auth
