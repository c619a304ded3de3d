// Signed texts in JWS compact form (RFC 7515), as strictly as bearer tokens need: two algorithms,
// no critical extensions, one spelling of each part. Parsing proves nothing; see VerificationKey.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace drover::auth {

/// Longest bearer token, in bytes. It fits twice into the headers that the HTTP server takes.
inline constexpr size_t kMaxBearer = size_t{8} << 10;

/// The algorithms that are taken (RFC 7518 section 3.1). "none" and the symmetric ones are not, so
/// a public key can never be mistaken for a shared secret.
enum class JwsAlgorithm : uint8_t {
  es256,  ///< ECDSA P-256 with SHA-256: the cluster's own, and issuers'
  rs256,  ///< RSASSA-PKCS1-v1_5 with SHA-256: most OIDC issuers
};
std::string_view name(JwsAlgorithm algorithm);

/// The parts of one signed text.
struct Jws {
  JwsAlgorithm algorithm = JwsAlgorithm::es256;
  std::string key_id;         ///< "kid"; empty without one
  std::string payload;        ///< decoded
  std::string signing_input;  ///< the bytes that are signed
  std::string signature;      ///< decoded; for ES256 the 64 bytes r and s
};

/// invalid_argument for anything else than three parts of strict base64url with a header that is a
/// JSON object with a known "alg", "typ" absent, JWT or at+jwt, and neither "crit", "b64" nor
/// "cty"; too_large beyond kMaxBearer. Key material in the header (jwk, jku, x5c) is never looked
/// at.
Result<Jws> parse_jws(std::string_view text);

/// header.payload, ready to be signed with ES256 under `key_id`.
std::string signing_input(std::string_view key_id, std::string_view payload);

}  // namespace drover::auth
