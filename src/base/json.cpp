#include "base/json.hpp"

#include "base/json_numbers.hpp"
#include "base/json_values.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace drover {
namespace {

void indent_to(std::string& out, size_t depth) {
  out.push_back('\n');
  out.append(depth * 2, ' ');
}

/// Nearly every key and text needs no escape; serialize() allocates for each.
void append_text(std::string& out, std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
  });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += json::serialize(json::string_view(text));
  }
}

void pretty(std::string& out, const json::value& value, size_t depth) {
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out.push_back('{');
    bool first = true;
    for (const auto& member : *object) {
      if (!std::exchange(first, false)) out.push_back(',');
      indent_to(out, depth + 1);
      append_text(out, member.key());
      out += ": ";
      pretty(out, member.value(), depth + 1);
    }
    indent_to(out, depth);
    out.push_back('}');
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out.push_back('[');
    bool first = true;
    for (const auto& element : *array) {
      if (!std::exchange(first, false)) out.push_back(',');
      indent_to(out, depth + 1);
      pretty(out, element, depth + 1);
    }
    indent_to(out, depth);
    out.push_back(']');
  } else if (const auto* text = value.if_string()) {
    append_text(out, *text);
  } else {
    out += to_text(value);
  }
}

/// Documents from this size on are read and dropped as a whole: one arena is quicker than an
/// allocation for each value. What is copied out of them is on its own.
constexpr size_t kArenaFrom = size_t{64} << 10;

}  // namespace

bool all_finite(const json::value& value) {
  if (const auto* object = value.if_object()) {
    return std::all_of(object->begin(), object->end(),
                       [](const auto& member) { return all_finite(member.value()); });
  }
  if (const auto* array = value.if_array()) {
    return std::all_of(array->begin(), array->end(), all_finite);
  }
  return !value.is_double() || std::isfinite(value.get_double());
}

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 64;
  json::stream_parser parser({}, options);
  if (text.size() >= kArenaFrom) {
    parser.reset(json::make_shared_resource<json::monotonic_resource>(text.size()));
  }
  json::error_code error;
  const size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) {
    return fail(Code::invalid_argument,
                fmt::format("not valid JSON at byte {}: {}", used, error.message()));
  }
  json::value value = parser.release();
  if (!all_finite(value)) {
    return fail(Code::invalid_argument, "not valid JSON: a number is out of range");
  }
  return value;
}

std::string to_text(const json::value& value) {
  // Scalars by themselves: a serializer is made for each call.
  if (value.is_null()) return "null";
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_int64()) return fmt::format_int(value.get_int64()).str();
  return json::serialize(value);
}

std::string to_pretty_text(const json::value& value) {
  std::string out;
  pretty(out, value, 0);
  out.push_back('\n');
  return out;
}

}  // namespace drover
