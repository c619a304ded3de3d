// Base64 for URLs and headers (RFC 4648 section 5), without padding.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace drover {

std::string to_base64url(std::string_view bytes);
/// invalid_argument for any other character, an impossible length, or bits that no encoder writes.
Result<std::string> from_base64url(std::string_view text);

}  // namespace drover
