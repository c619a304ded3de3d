// Patterns of grants and audit queries: text with stars. Pure.
#pragma once

#include <string_view>

namespace drover::auth {

/// Whether `text` fits `pattern`, in which `*` stands for any run of bytes. Linear with one restart
/// point, so a hostile pattern cannot make it slow.
bool fits_pattern(std::string_view pattern, std::string_view text);

}  // namespace drover::auth
