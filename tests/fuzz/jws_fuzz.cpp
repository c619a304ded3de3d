// Bearer tokens as anybody may send them: the compact form, then the claims inside.
#include "auth/jws.hpp"
#include "auth/jwt.hpp"
#include "base/base64.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto jws = drover::auth::parse_jws(input);
  if (!jws) return;
  const std::string again = jws->signing_input + "." + drover::to_base64url(jws->signature);
  drover::fuzz::require(again == input, "one spelling");
  (void)drover::auth::claim_texts(jws->payload, "realm_access.roles");
  const auto claims = drover::auth::read_claims(jws->payload);
  if (!claims) return;
  const auto read_back = drover::auth::read_claims(drover::auth::write_claims(*claims));
  drover::fuzz::require(read_back.has_value() && read_back->issuer == claims->issuer &&
                            read_back->audience == claims->audience,
                        "what is written reads back");
}
