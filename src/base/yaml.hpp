// JSON values as YAML text, for people: block style, scalars quoted only where YAML would misread
// them. Output only; Drover's programs exchange JSON.
#pragma once

#include "base/json.hpp"

#include <string>

namespace drover {

/// One YAML 1.2 document ending in a newline. Texts that YAML 1.1 readers take for something else
/// (yes, no, on, 0o7, 1e3, dates, ~) are quoted too; texts of several lines become | blocks where
/// that keeps them exactly. Control characters are escaped, so a terminal is safe.
std::string to_yaml(const json::value& value);

}  // namespace drover
