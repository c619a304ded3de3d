// The text of a join token: what an administrator carries from a master to a new host. Pure.
#pragma once

#include "base/random.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace drover::auth {

/// `drover-join-v1.<id>.<secret>.<ca>`, 109 characters. All three parts are Base32 in lower case
/// without padding (RFC 4648 section 6), so the text survives a terminal, a URL and being read
/// aloud.
struct JoinToken {
  std::string id;         ///< 8 characters (40 bits): names the token in lists; not secret
  std::string secret;     ///< 32 characters (160 bits): proves it; the store keeps only its SHA-256
  std::string ca_sha256;  ///< 64 hex digits: the CA that the new host must meet
  /// The token to hand over. Secret: keep it out of logs.
  [[nodiscard]] std::string text() const;
};

/// Draws id and secret. invalid_argument when `ca_sha256` is not 64 lower-case hex digits.
Result<JoinToken> make_join_token(Random& random, std::string_view ca_sha256);

/// Reads a token back; blanks around it and upper case are forgiven. invalid_argument says which
/// part is wrong and never repeats the text.
Result<JoinToken> parse_join_token(std::string_view text);

}  // namespace drover::auth
