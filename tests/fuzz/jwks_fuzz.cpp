// Key sets as issuers serve them.
#include "auth/jwk.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto keys = drover::auth::KeySet::parse(input);
  if (!keys) return;
  drover::fuzz::require(!keys->keys().empty(), "a set has a key");
  for (const auto& key : keys->keys()) {
    drover::auth::Jws jws;
    jws.algorithm = key.algorithm();
    jws.signature = std::string(64, 'x');
    drover::fuzz::require(!key.verify(jws), "nobody's signature fits");
  }
}
