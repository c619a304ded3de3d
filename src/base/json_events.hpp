// Reading a JSON text as a row of events, without building values: from one text to another at a
// fraction of what a tree of values costs.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace drover {

/// Who hears what a text holds, in its order. Views are valid during the call.
class JsonEvents {
 public:
  JsonEvents() = default;
  JsonEvents(const JsonEvents&) = delete;
  JsonEvents& operator=(const JsonEvents&) = delete;
  virtual ~JsonEvents() = default;
  virtual void object_begins() = 0;
  virtual void array_begins() = 0;
  /// The innermost object or array ends.
  virtual void ends() = 0;
  /// A member's name, escapes resolved.
  virtual void key(std::string_view text) = 0;
  /// Escapes resolved.
  virtual void text(std::string_view text) = 0;
  /// A whole number, true, false or null, as it stands.
  virtual void word(std::string_view text) = 0;
  /// A number with a fraction or exponent, or too large for 64 bits; `text` as it stands.
  virtual void real(double value, std::string_view text) = 0;
};

/// Reads one document (depth limit 64) to its end. invalid_argument for what is not JSON, and for
/// numbers beyond double's range; names the byte. What was heard before the error has been heard.
Status read_json(std::string_view document, JsonEvents& to);

}  // namespace drover
