// A SAX handler of Boost's parser that hands whole keys and texts on.
#include "base/json_events.hpp"

#include "base/json_values.hpp"

#include <cmath>
#include <cstdint>
#include <string>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace drover {
namespace {

/// Joins the parts in which the parser gives texts that hold escapes.
class Handler {
 public:
  static constexpr size_t max_object_size = SIZE_MAX;
  static constexpr size_t max_array_size = SIZE_MAX;
  static constexpr size_t max_key_size = SIZE_MAX;
  static constexpr size_t max_string_size = SIZE_MAX;

  explicit Handler(JsonEvents& to) : to_(to) {}

  using Text = json::string_view;
  using Error = json::error_code;
  bool on_document_begin(Error& /*error*/) { return true; }
  bool on_document_end(Error& /*error*/) { return true; }
  bool on_object_begin(Error& /*error*/) {
    to_.object_begins();
    return true;
  }
  bool on_object_end(size_t /*count*/, Error& /*error*/) {
    to_.ends();
    return true;
  }
  bool on_array_begin(Error& /*error*/) {
    to_.array_begins();
    return true;
  }
  bool on_array_end(size_t /*count*/, Error& /*error*/) {
    to_.ends();
    return true;
  }
  bool on_key_part(Text text, size_t /*size*/, Error& /*error*/) { return part(text); }
  bool on_key(Text text, size_t /*size*/, Error& /*error*/) {
    if (parts_.empty()) {
      to_.key(text);
    } else {
      to_.key(parts_.append(text));
      parts_.clear();
    }
    return true;
  }
  bool on_string_part(Text text, size_t /*size*/, Error& /*error*/) { return part(text); }
  bool on_string(Text text, size_t /*size*/, Error& /*error*/) {
    if (parts_.empty()) {
      to_.text(text);
    } else {
      to_.text(parts_.append(text));
      parts_.clear();
    }
    return true;
  }
  // Numbers come in parts only when the document does.
  bool on_number_part(Text text, Error& /*error*/) { return part(text); }
  bool on_int64(int64_t /*value*/, Text text, Error& /*error*/) { return word(text); }
  bool on_uint64(uint64_t /*value*/, Text text, Error& /*error*/) { return word(text); }
  bool on_double(double value, Text text, Error& error) {
    if (!std::isfinite(value)) {
      error = json::error::exponent_overflow;
      return false;
    }
    to_.real(value, text);
    return true;
  }
  bool on_bool(bool value, Error& /*error*/) { return word(value ? "true" : "false"); }
  bool on_null(Error& /*error*/) { return word("null"); }
  bool on_comment_part(Text /*text*/, Error& /*error*/) { return true; }
  bool on_comment(Text /*text*/, Error& /*error*/) { return true; }

 private:
  bool part(std::string_view text) {
    parts_.append(text);
    return true;
  }
  bool word(std::string_view text) {
    to_.word(text);
    return true;
  }

  JsonEvents& to_;
  std::string parts_;  ///< of the text that is being read
};

}  // namespace

Status read_json(std::string_view document, JsonEvents& to) {
  json::parse_options options;
  options.max_depth = 64;
  json::basic_parser<Handler> parser(options, to);
  json::error_code error;
  const size_t used = parser.write_some(false, document.data(), document.size(), error);
  if (!error && used < document.size()) error = json::error::extra_data;
  if (!error) return {};
  return fail(Code::invalid_argument,
              fmt::format("not valid JSON at byte {}: {}", used, error.message()));
}

}  // namespace drover
