// YAML text as JSON values, with the line of every value, so that an error can say where. The one
// reader of YAML: documents to apply, files to import, what an editor gave back.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace drover {

/// Limits against hostile input; more is Code::too_large.
inline constexpr size_t kMaxYamlText = size_t{32} << 20;    ///< bytes of one document
inline constexpr size_t kMaxYamlWeight = size_t{96} << 20;  ///< bytes once aliases are expanded
inline constexpr size_t kMaxYamlDepth = 64;                 ///< nested lists and maps

/// What becomes of scalars without quotes.
enum class YamlScalars {
  typed,  ///< YAML 1.2 core schema: null, booleans, integers (decimal, 0o, 0x), floats, else text
  text,   ///< text as written, so that 1.10 and 0755 stay what they are; only null stays null
};

/// The line (from 1) of each value by its JSON pointer (RFC 6901): "/nodes/n1/interfaces/0/mac".
/// The member of a map is where its key stands. What came by an alias or << has the alias's line.
using LineMap = std::map<std::string, size_t, std::less<>>;

/// Reads one document of YAML 1.1 or 1.2 syntax, JSON included; the empty text is null. Anchors,
/// aliases and merge keys (<<) are expanded. Errors name line and column: bad syntax, a key that
/// comes twice or is no scalar, a tag that is not of the core schema, a second document.
/// Fills `lines` when given.
Result<json::value> parse_yaml(std::string_view text, YamlScalars scalars = YamlScalars::typed,
                               LineMap* lines = nullptr);

/// `token` as a part of a JSON pointer: ~ becomes ~0 and / becomes ~1.
std::string pointer_token(std::string_view token);

/// The line of `pointer` or, where the document has no such value, of the nearest one around it; 0
/// when it knows none.
size_t line_of(const LineMap& lines, std::string_view pointer);

}  // namespace drover
