// Target: path segments and query parameters, with every malformed one refused.
#include "net/http/target.hpp"

#include <utility>

#include <fmt/core.h>

namespace drover::net {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

/// Calls `each` with the parts of `text` between `separator`s.
template <typename F>
Status split(std::string_view text, char separator, F each) {
  for (;;) {
    const size_t end = text.find(separator);
    DROVER_CHECK_OK(each(text.substr(0, end)));
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
}

Status add_segment(Target& target, std::string_view raw) {
  DROVER_TRY(std::string segment, percent_decode(raw, false));
  if (segment.empty()) return fail(Code::invalid_argument, "the path has an empty segment");
  if (segment == "." || segment == "..") {
    return fail(Code::invalid_argument, fmt::format("the path has a \"{}\" segment", segment));
  }
  target.segments.push_back(std::move(segment));
  return {};
}

Status add_parameter(Target& target, std::string_view raw) {
  if (raw.empty()) return {};
  const size_t equals = raw.find('=');
  DROVER_TRY(std::string name, percent_decode(raw.substr(0, equals), true));
  std::string value;
  if (equals != std::string_view::npos) {
    DROVER_TRY(value, percent_decode(raw.substr(equals + 1), true));
  }
  if (name.empty()) return fail(Code::invalid_argument, "the query has a parameter without a name");
  const auto [place, added] = target.query.emplace(std::move(name), std::move(value));
  if (!added) {
    return fail(Code::invalid_argument, fmt::format("\"{}\" is given twice", place->first));
  }
  return {};
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(Code::invalid_argument,
                    "\"%\" is not followed by two hexadecimal digits in the address",
                    "write %25 for a percent sign");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return fail(Code::invalid_argument, "the address holds a zero byte");
    decoded += c;
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::optional<std::string_view> Target::get(std::string_view name) const {
  const auto found = query.find(name);
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Result<Target> Target::parse(std::string_view target) {
  if (!target.starts_with('/')) {
    return fail(Code::invalid_argument, "the request target does not start with \"/\"");
  }
  Target parsed;
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  std::string_view path =
      target.substr(1, question == std::string_view::npos ? question : question - 1);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) {
    DROVER_CHECK_OK(
        split(path, '/', [&](std::string_view raw) { return add_segment(parsed, raw); }));
  }
  if (question != std::string_view::npos) {
    DROVER_CHECK_OK(split(target.substr(question + 1), '&',
                          [&](std::string_view raw) { return add_parameter(parsed, raw); }));
  }
  return parsed;
}

}  // namespace drover::net
