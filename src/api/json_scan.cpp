#include "api/json_scan.hpp"

#include <algorithm>

namespace drover::api {

void JsonScan::skip_string() {
  ++at_;  // the opening quote
  for (;;) {
    at_ = std::min(text_.find_first_of("\"\\", at_), text_.size());
    if (at_end()) return;
    if (text_[at_] == '"') {
      ++at_;
      return;
    }
    at_ = std::min(at_ + 2, text_.size());
  }
}

std::string_view JsonScan::value() {
  const size_t from = at_;
  size_t depth = 0;
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '"') {
      skip_string();
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at_;
      continue;
    } else if (c == '}' || c == ']') {
      if (depth == 0) break;  // the end of what the value is in
      --depth;
      ++at_;
    } else if (c == ',' || c == ':') {
      if (depth == 0) break;
      ++at_;
      continue;
    } else {
      at_ = std::min(text_.find_first_of(",:]}\"{[", at_), text_.size());
    }
    if (depth == 0) break;
  }
  return text_.substr(from, at_ - from);
}

std::string_view JsonScan::key() {
  if (peek() != '"') {
    at_ = text_.size();
    return {};
  }
  const size_t from = at_ + 1;
  skip_string();
  const std::string_view name = text_.substr(from, at_ - from - (at_ > from ? 1 : 0));
  take(':');
  return name;
}

}  // namespace drover::api
