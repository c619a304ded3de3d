// Join tokens as people paste them.
#include "auth/join_token.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  const auto token = drover::auth::parse_join_token(input);
  if (!token) return;
  const auto again = drover::auth::parse_join_token(token->text());
  drover::fuzz::require(again.has_value() && again->text() == token->text(), "text() reads back");
}
