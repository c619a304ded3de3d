// The claims of a bearer token (JSON Web Token, RFC 7519): whose it is, for whom and until when.
// Pure: the signature was checked before.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// How far the issuer's clock may be from ours.
inline constexpr Duration kTokenSkew = std::chrono::seconds(30);

struct Claims {
  std::string issuer;                 ///< iss
  std::string subject;                ///< sub
  std::vector<std::string> audience;  ///< aud, whether a text or a list
  std::string id;                     ///< jti; empty without one
  WallTime expires{};                 ///< exp
  WallTime not_before{};              ///< nbf; zero without one
  WallTime issued{};                  ///< iat; zero without one
};

/// Reads a payload. invalid_argument when it is no JSON object, iss or exp is missing, or one of
/// the registered claims is of a wrong type, out of range or too long (512 bytes; 32 audiences).
Result<Claims> read_claims(std::string_view payload);

/// Whether the token is from `issuer`, for `audience`, and valid at `now`: unauthenticated with the
/// two values that do not fit.
Status check_claims(const Claims& claims, std::string_view issuer, std::string_view audience,
                    WallTime now);

/// The texts at a dotted path of the payload, a text alone or a list of them:
/// "realm_access.roles". A claim whose own name has the dots ("https://x.example/roles") is looked
/// for first. Empty when there is none; other types are passed over. At most 1000.
std::vector<std::string> claim_texts(std::string_view payload, std::string_view path);

/// The payload of a token of the cluster's own.
std::string write_claims(const Claims& claims);

}  // namespace drover::auth
