// The one file that knows libyaml.
#include "base/yaml_read.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <yaml.h>

namespace drover {
namespace {

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

tl::unexpected<Error> fail_at(const yaml_mark_t& mark, std::string_view what) {
  return fail(Code::invalid_argument,
              fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, what));
}

/// One event of the parser; owns what libyaml allocated for it.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }
  yaml_event_t* fill() {
    yaml_event_delete(&event_);
    event_ = {};
    return &event_;
  }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
};

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

template <typename T>
std::optional<T> whole(std::string_view digits, int base) {
  T out{};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return {};
  return out;
}

/// Core schema, section 10.3.2 of YAML 1.2: [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+.
std::optional<json::value> integer(std::string_view text) {
  if (text.starts_with("0o") || text.starts_with("0x")) {
    const bool octal = text[1] == 'o';
    const std::string_view digits = text.substr(2);
    if (digits.starts_with('-')) return {};
    const auto value = whole<uint64_t>(digits, octal ? 8 : 16);
    return value ? std::optional<json::value>(*value) : std::nullopt;
  }
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  if (const auto value = whole<int64_t>(text, 10)) return json::value(*value);
  if (const auto value = whole<uint64_t>(text, 10)) return json::value(*value);
  return {};
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?; .inf and .nan stay text, as JSON has none.
std::optional<json::value> floating(std::string_view text) {
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return {};
  if (text.find_first_of("0123456789") == std::string_view::npos) return {};
  if (text.starts_with('+')) text.remove_prefix(1);
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(out)) return {};
  return json::value(out);
}

bool is_null(std::string_view text) {
  return one_of(text, {"", "~", "null", "Null", "NULL"});
}

json::value typed(std::string_view text) {
  if (one_of(text, {"true", "True", "TRUE"})) return true;
  if (one_of(text, {"false", "False", "FALSE"})) return false;
  if (auto value = integer(text)) return *std::move(value);
  if (auto value = floating(text)) return *std::move(value);
  return json::value(json::string_view(text));
}

struct Anchor {
  json::value value;
  size_t weight = 0;
};

class Reader {
 public:
  Reader(std::string_view text, YamlScalars scalars, LineMap* lines)
      : scalars_(scalars), lines_(lines) {
    good_ = yaml_parser_initialize(&parser_) != 0;
    if (!good_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (good_) yaml_parser_delete(&parser_);
  }

  Result<json::value> document() {
    if (!good_) return fail(Code::exhausted, "no memory for reading YAML");
    Event event;
    DROVER_CHECK_OK(next(event));  // the stream's start
    DROVER_CHECK_OK(next(event));
    if (event->type == YAML_STREAM_END_EVENT) return json::value(nullptr);
    DROVER_CHECK_OK(next(event));  // the root
    DROVER_TRY(json::value root, value(event, "", 0));
    DROVER_CHECK_OK(next(event));  // the document's end
    DROVER_CHECK_OK(next(event));
    if (event->type != YAML_STREAM_END_EVENT) {
      return fail_at(event->start_mark, "a second document begins here; expected one");
    }
    return root;
  }

 private:
  Status next(Event& event) {
    if (yaml_parser_parse(&parser_, event.fill()) != 0) return {};
    if (parser_.error == YAML_MEMORY_ERROR) {
      return fail(Code::exhausted, "no memory for reading YAML");
    }
    const char* problem = parser_.problem == nullptr ? "cannot be read" : parser_.problem;
    if (parser_.error == YAML_READER_ERROR) {
      return fail(Code::invalid_argument,
                  fmt::format("byte {}: not valid YAML: {}", parser_.problem_offset, problem));
    }
    std::string what = fmt::format("not valid YAML: {}", problem);
    if (parser_.context != nullptr) what += fmt::format(" ({})", parser_.context);
    return fail_at(parser_.problem_mark, what);
  }

  Status charge(size_t weight) {
    weight_ += weight;
    if (weight_ <= kMaxYamlWeight) return {};
    return fail(Code::too_large,
                fmt::format("the document holds more than {} MiB once its aliases are expanded",
                            kMaxYamlWeight >> 20));
  }

  void note(const std::string& pointer, const yaml_mark_t& mark) {
    if (lines_ != nullptr) lines_->try_emplace(pointer, mark.line + 1);
  }

  /// The value that `event` begins.
  Result<json::value> value(Event& event, const std::string& pointer, size_t depth) {
    if (depth > kMaxYamlDepth) {
      return fail_at(event->start_mark, fmt::format("nested deeper than {}", kMaxYamlDepth));
    }
    note(pointer, event->start_mark);
    const std::string anchor(anchor_of(event));
    const size_t before = weight_;
    Result<json::value> out = node(event, pointer, depth);
    if (out && !anchor.empty()) anchors_[anchor] = {*out, weight_ - before};
    return out;
  }

  static std::string_view anchor_of(const Event& event) {
    switch (event->type) {
      case YAML_SCALAR_EVENT:
        return view(event->data.scalar.anchor);
      case YAML_SEQUENCE_START_EVENT:
        return view(event->data.sequence_start.anchor);
      case YAML_MAPPING_START_EVENT:
        return view(event->data.mapping_start.anchor);
      default:
        return {};
    }
  }

  Result<json::value> node(Event& event, const std::string& pointer, size_t depth) {
    switch (event->type) {
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_ALIAS_EVENT:
        return alias(event);
      case YAML_SEQUENCE_START_EVENT:
        DROVER_CHECK_OK(check_tag(event->data.sequence_start.tag, "tag:yaml.org,2002:seq", event));
        return sequence(event, pointer, depth);
      case YAML_MAPPING_START_EVENT:
        DROVER_CHECK_OK(check_tag(event->data.mapping_start.tag, "tag:yaml.org,2002:map", event));
        return mapping(event, pointer, depth);
      default:
        return fail_at(event->start_mark, "expected a value");
    }
  }

  static Status check_tag(const yaml_char_t* tag, std::string_view core, const Event& event) {
    if (view(tag).empty() || view(tag) == core) return {};
    return fail_at(event->start_mark,
                   fmt::format("the tag {} is not known here", printable(view(tag))));
  }

  Result<json::value> scalar(const Event& event) {
    const auto& scalar = event->data.scalar;
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    DROVER_CHECK_OK(charge(32 + text.size()));
    const std::string_view tag = view(scalar.tag);
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag == "tag:yaml.org,2002:str" || tag == "!") return json::value(json::string_view(text));
    if (!tag.empty()) {
      // Go's encoder writes !!null, !!bool, !!int and !!float in places.
      const bool core = tag.starts_with(kCore) &&
                        one_of(tag.substr(kCore.size()), {"null", "bool", "int", "float"});
      if (!core) {
        return fail_at(event->start_mark,
                       fmt::format("the tag {} is not known here", printable(tag)));
      }
    } else if (scalar.style != YAML_PLAIN_SCALAR_STYLE) {
      return json::value(json::string_view(text));
    }
    if (is_null(text)) return json::value(nullptr);
    return scalars_ == YamlScalars::typed ? typed(text) : json::value(json::string_view(text));
  }

  Result<json::value> alias(const Event& event) {
    const std::string name(view(event->data.alias.anchor));
    const auto it = anchors_.find(name);
    if (it == anchors_.end()) {
      return fail_at(event->start_mark, fmt::format("*{} has no &{} before it", name, name));
    }
    DROVER_CHECK_OK(charge(it->second.weight));
    return it->second.value;
  }

  Result<json::value> sequence(Event& event, const std::string& pointer, size_t depth) {
    DROVER_CHECK_OK(charge(32));
    json::array out;
    while (true) {
      DROVER_CHECK_OK(next(event));
      if (event->type == YAML_SEQUENCE_END_EVENT) return json::value(std::move(out));
      std::string inner = lines_ == nullptr ? "" : fmt::format("{}/{}", pointer, out.size());
      DROVER_TRY(json::value element, value(event, inner, depth + 1));
      out.push_back(std::move(element));
    }
  }

  Result<json::value> mapping(Event& event, const std::string& pointer, size_t depth) {
    DROVER_CHECK_OK(charge(32));
    json::object out;
    std::vector<json::value> merged;
    while (true) {
      DROVER_CHECK_OK(next(event));
      if (event->type == YAML_MAPPING_END_EVENT) break;
      const yaml_mark_t mark = event->start_mark;
      DROVER_TRY(const std::string key, key_of(event));
      const bool merge = key == "<<" && event->type == YAML_SCALAR_EVENT &&
                         event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      if (!merge && out.contains(key)) {
        return fail_at(mark, fmt::format("the key {} comes twice", printable(key)));
      }
      std::string inner;
      if (lines_ != nullptr) {
        inner = fmt::format("{}/{}", pointer, pointer_token(key));
        if (!merge) note(inner, mark);
      }
      DROVER_CHECK_OK(charge(key.size()));
      DROVER_CHECK_OK(next(event));
      DROVER_TRY(json::value held, value(event, inner, depth + 1));
      if (merge) {
        DROVER_CHECK_OK(collect_merge(std::move(held), mark, merged));
      } else {
        out.emplace(key, std::move(held));
      }
    }
    // The map's own keys win, then the merged maps in their order.
    for (json::value& map : merged) {
      for (auto& member : map.get_object()) {
        if (!out.contains(member.key())) out.emplace(member.key(), std::move(member.value()));
      }
    }
    return json::value(std::move(out));
  }

  Result<std::string> key_of(const Event& event) {
    if (event->type == YAML_SCALAR_EVENT) {
      const auto& scalar = event->data.scalar;
      if (const auto* anchor = scalar.anchor; anchor != nullptr) {
        return fail_at(event->start_mark, "a key cannot have an anchor here");
      }
      return std::string(reinterpret_cast<const char*>(scalar.value), scalar.length);
    }
    return fail_at(event->start_mark, "a key must be a plain or quoted text");
  }

  static Status collect_merge(json::value held, const yaml_mark_t& mark,
                              std::vector<json::value>& merged) {
    if (held.is_object()) {
      merged.push_back(std::move(held));
      return {};
    }
    if (auto* array = held.if_array()) {
      const bool maps = std::all_of(array->begin(), array->end(),
                                    [](const json::value& each) { return each.is_object(); });
      if (maps) {
        for (json::value& each : *array) merged.push_back(std::move(each));
        return {};
      }
    }
    return fail_at(mark, "<< takes a map or a list of maps");
  }

  yaml_parser_t parser_{};
  bool good_ = false;
  YamlScalars scalars_;
  LineMap* lines_;
  std::map<std::string, Anchor> anchors_;
  size_t weight_ = 0;
};

}  // namespace

Result<json::value> parse_yaml(std::string_view text, YamlScalars scalars, LineMap* lines) {
  if (text.size() > kMaxYamlText) {
    return fail(Code::too_large,
                fmt::format("the document is longer than {} MiB", kMaxYamlText >> 20));
  }
  return Reader(text, scalars, lines).document();
}

std::string pointer_token(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

size_t line_of(const LineMap& lines, std::string_view pointer) {
  while (true) {
    if (const auto it = lines.find(pointer); it != lines.end()) return it->second;
    const size_t slash = pointer.rfind('/');
    if (slash == std::string_view::npos) return 0;
    pointer = pointer.substr(0, slash);
  }
}

}  // namespace drover
