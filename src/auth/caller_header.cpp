#include "auth/caller_header.hpp"

#include "base/base64.hpp"

namespace drover::auth {

std::string caller_header(const SignedAssertion& signed_assertion) {
  return to_base64url(signed_assertion.assertion) + "." + to_base64url(signed_assertion.signature) +
         "." + to_base64url(signed_assertion.certificate_pem);
}

Result<SignedAssertion> parse_caller_header(std::string_view text) {
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) {
    return fail(Code::invalid_argument, "a caller header without its three parts");
  }
  SignedAssertion out;
  DROVER_TRY(out.assertion, from_base64url(text.substr(0, first)));
  DROVER_TRY(out.signature, from_base64url(text.substr(first + 1, second - first - 1)));
  DROVER_TRY(out.certificate_pem, from_base64url(text.substr(second + 1)));
  return out;
}

}  // namespace drover::auth
