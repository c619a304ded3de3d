#include "cli/output.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "cli/list_text.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/core.h>

namespace drover::cli {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 7> kFormats{{{"table", Format::table},
                                                                       {"wide", Format::wide},
                                                                       {"json", Format::json},
                                                                       {"jsonl", Format::jsonl},
                                                                       {"yaml", Format::yaml},
                                                                       {"csv", Format::csv},
                                                                       {"name", Format::name}}};

std::string span_text(Duration span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < int64_t{120} * 60) return fmt::format("{}m", seconds / 60);
  if (seconds < int64_t{48} * 3600) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

/// `now`: to say beside a time how long ago it is; none for programs.
void flatten(const json::value& value, const std::string& path, const std::optional<WallTime>& now,
             std::vector<std::vector<Cell>>& rows) {
  const auto below = [&](std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  };
  if (const auto* object = value.if_object()) {
    for (const auto& [key, inner] : *object) flatten(inner, below(key), now, rows);
    return;
  }
  if (const auto* array = value.if_array()) {
    for (size_t i = 0; i < array->size(); ++i) {
      flatten((*array)[i], below(std::to_string(i)), now, rows);
    }
    return;
  }
  std::string text = scalar_text(value);
  if (text.empty()) return;
  const Tone tone = tone_of_state(text);
  if (now && value.is_string() && from_rfc3339(value.get_string())) {
    const WallTime time = *from_rfc3339(value.get_string());
    const bool ahead = time > *now + std::chrono::seconds(5);  // more than clocks differ
    text += ahead ? fmt::format(" (in {})", span_text(time - *now))
                  : fmt::format(" ({} ago)", age_text(value.get_string(), *now));
  }
  rows.push_back({{printable(path), Tone::faint}, {std::move(text), tone}});
}

/// Whether the field is one of those asked for, or inside of one.
bool is_chosen(std::string_view path, const std::vector<std::string>& columns) {
  return std::ranges::any_of(columns, [path](const std::string& column) {
    return path.starts_with(column) && (path.size() == column.size() || path[column.size()] == '.');
  });
}

/// {"items": [..]} around the very items: equal memory resources, so nothing is copied.
json::value items_document(json::array items) {
  json::object out(items.storage());
  out.emplace("items", std::move(items));
  return out;
}

}  // namespace

Result<Format> format_from_name(std::string_view name) {
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return fail(Code::invalid_argument, fmt::format("unknown form of output \"{}\"", printable(name)),
              "-o table|wide|json|jsonl|yaml|csv|name");
}

Result<std::string> render_list(json::array items, const ListView& view,
                                const OutputOptions& options) {
  std::string out;
  switch (options.format) {
    case Format::json:
      return terminal_safe_json(to_pretty_text(items_document(std::move(items))));
    case Format::yaml:
      return to_yaml(items_document(std::move(items)));
    case Format::jsonl:
      for (const json::value& item : items) out += terminal_safe_json(to_text(item)) + "\n";
      return out;
    default:
      break;
  }
  DROVER_TRY(ListText text, ListText::make(view, options));
  for (const json::value& item : items) text.add(item);
  return text.finish();
}

std::string render_document(const json::value& document, const OutputOptions& options) {
  switch (options.format) {
    case Format::json:
      return terminal_safe_json(to_pretty_text(document));
    case Format::jsonl:
      return terminal_safe_json(to_text(document)) + "\n";
    case Format::yaml:
      return to_yaml(document);
    case Format::name:
      for (const char* key : {"name", "id", "key"}) {
        if (const std::string name = text_at(document, key); !name.empty()) return name + "\n";
      }
      break;
    default:
      break;
  }
  std::vector<std::vector<Cell>> rows;
  const bool for_people = options.format != Format::csv;
  flatten(document, {}, for_people ? std::optional(options.now) : std::nullopt, rows);
  if (!options.columns.empty()) {
    std::erase_if(rows, [&](const auto& row) { return !is_chosen(row[0].text, options.columns); });
  }
  if (!for_people) {
    std::string out;
    for (const auto& row : rows) {
      out += csv_field(row[0].text) + "," + csv_field(row[1].text) + "\n";
    }
    return out;
  }
  return lay_out({{"FIELD", false, false}, {"VALUE", false, true}}, rows,
                 {options.width, options.colour, false});
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

const json::value* find_path(const json::value& in, std::string_view path) {
  const json::value* at = &in;
  while (!path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    std::string_view key = path.substr(0, dot);
    if (const auto* object = at->if_object()) {
      // A key may itself hold dots (metrics): the whole rest is tried first.
      at = object->if_contains(path);
      if (at != nullptr) return at;
      at = object->if_contains(key);
    } else if (const auto* array = at->if_array()) {
      const bool number = !key.empty() && key.size() < 9 &&
                          key.find_first_not_of("0123456789") == std::string_view::npos;
      at = number ? array->if_contains(std::stoul(std::string(key))) : nullptr;
    } else {
      return nullptr;
    }
    if (at == nullptr) return nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

std::string scalar_text(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return {};
    case json::kind::string:
      return printable(value.get_string());
    case json::kind::double_:
      return fmt::format("{}", value.get_double());
    case json::kind::array: {
      std::string out;
      for (const json::value& element : value.get_array()) {
        if (!out.empty()) out.push_back(',');
        out += scalar_text(element);
      }
      return out;
    }
    default:
      return printable(to_text(value));
  }
}

std::string text_at(const json::value& in, std::string_view path) {
  const json::value* value = find_path(in, path);
  return value == nullptr ? std::string() : scalar_text(*value);
}

std::string age_text(std::string_view rfc3339, WallTime now) {
  const auto time = from_rfc3339(rfc3339);
  if (!time) return printable(rfc3339);
  return span_text(std::max(now - *time, Duration::zero()));  // two hosts' clocks never quite agree
}

std::string terminal_safe_json(std::string whole) {
  bool plain = true;
  for (const char c : whole) plain &= static_cast<unsigned char>(c) < 0x7f;  // by vectors
  if (plain) return whole;
  const std::string_view text = whole;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x7f) {
      out.push_back(text[at++]);
      continue;
    }
    const size_t length = lead == 0x7f ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const std::string_view point = text.substr(at, length);
    const std::string safe = printable(point);
    at += length;
    if (safe == point) {
      out += point;
    } else if (safe.starts_with("\\u{")) {
      const auto value = std::stoul(safe.substr(3), nullptr, 16);
      out += value < 0x10000 ? fmt::format("\\u{:04x}", value)
                             : fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((value - 0x10000) >> 10),
                                           0xdc00 + ((value - 0x10000) & 0x3ff));
    } else {
      out += "\\u007f";
    }
  }
  return out;
}

}  // namespace drover::cli
