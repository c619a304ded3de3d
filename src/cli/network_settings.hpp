// NAME=VALUE of `drover network add|set|unset`, as the bodies of changes that the API takes. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace drover::cli {

/// Fields of cluster::Network as a merge patch; lists are joined by commas. invalid_argument names
/// what cannot be set, and the nearest name.
Result<std::string> network_settings(const std::vector<std::string>& words);
/// The same names without values: back to the default.
Result<std::string> network_unsettings(const std::vector<std::string>& names);

}  // namespace drover::cli
