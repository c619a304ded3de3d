// The JSON document type of every border, owned by base. This header only names the types; .cpp
// files that build or read values include base/json_values.hpp.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace drover {
namespace json = boost::json;

/// Parses one document; errors name the byte offset. Depth limit 64.
Result<json::value> parse_json(std::string_view text);
/// Compact text, keys in insertion order.
std::string to_text(const json::value& value);
/// Two-space indented text ending in a newline.
std::string to_pretty_text(const json::value& value);

}  // namespace drover
