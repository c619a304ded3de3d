// Certificates and signing requests as PEM from the other end.
#include "auth/certificate.hpp"
#include "auth/keys.hpp"
#include "fuzz.hpp"

DROVER_FUZZ_TARGET(input) {
  if (const auto certificate = drover::auth::Certificate::from_pem(input)) {
    (void)certificate->identity();
    drover::fuzz::require(certificate->pem().has_value(), "what parses can be written");
  }
  (void)drover::auth::Trust::from_pem(input);
  (void)drover::auth::verify_csr(input);
}
