// The HTTP header in which a daemon vouches for the caller of a request that it forwards.
#pragma once

#include "auth/assertion.hpp"

#include <string>
#include <string_view>

namespace drover::auth {

/// Set by daemons alone: what a client sends under this name is removed at the entry.
inline constexpr std::string_view kCallerHeader = "Drover-Caller";

/// "<assertion>.<signature>.<certificate>", each in base64url.
std::string caller_header(const SignedAssertion& signed_assertion);
/// invalid_argument for anything else.
Result<SignedAssertion> parse_caller_header(std::string_view text);

}  // namespace drover::auth
