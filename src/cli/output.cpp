#include "cli/output.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "cli/selection.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <array>
#include <map>
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

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string scaled(double value, size_t unit) {
  constexpr std::array<std::string_view, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 10 && unit > 0 ? fmt::format("{:.1f} {}", value, kUnits.at(unit))
                                : fmt::format("{:.0f} {}", value, kUnits.at(unit));
}

/// "key=value key=value": what people read, and what equal rows fold by.
std::string pairs_text(const json::object& object) {
  std::string out;
  for (const auto& [key, value] : object) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", printable(key), scalar_text(value));
  }
  return out;
}

std::string shown(const json::value& value, Show show, WallTime now) {
  switch (show) {
    case Show::age:
      return value.is_string() ? age_text(value.get_string(), now) : "";
    case Show::bytes:
    case Show::mebibytes:
      if (!value.is_number()) return scalar_text(value);
      // No machine has no memory: it was not seen yet.
      if (show == Show::mebibytes && value.to_number<double>() == 0) return {};
      return scaled(value.to_number<double>(), show == Show::bytes ? 0 : 2);
    default:
      return value.is_object() ? pairs_text(value.get_object()) : scalar_text(value);
  }
}

/// The columns to show; titles win over paths, so that --columns repeats what the header says.
Result<std::vector<Column>> chosen_columns(const ListView& view, const OutputOptions& options) {
  std::vector<Column> out;
  const bool wide = options.format == Format::wide || options.format == Format::csv;
  if (options.columns.empty()) {
    for (const Column& column : view.columns) {
      if (wide || !column.wide) out.push_back(column);
    }
    return out;
  }
  for (const std::string& asked : options.columns) {
    const auto it = std::find_if(view.columns.begin(), view.columns.end(), [&](const Column& c) {
      return lower(c.title) == lower(asked) || c.path == asked;
    });
    if (it != view.columns.end()) {
      out.push_back(*it);
    } else if (asked.empty()) {
      return fail(Code::invalid_argument, "--columns has an empty name");
    } else {
      out.push_back({printable(asked), asked, Show::text, false, true});
    }
  }
  return out;
}

/// A path that no item has is a typing mistake, not an empty column.
Status check_columns(const std::vector<Column>& columns, const json::array& items,
                     const ListView& view, const OutputOptions& options) {
  if (options.columns.empty()) return {};
  for (const Column& column : columns) {
    DROVER_CHECK_OK(check_path("--columns", column.path, items, view));
  }
  return {};
}

struct Row {
  std::vector<Cell> cells;
  std::vector<std::string> names;  ///< of the nodes folded into it
};

std::vector<Cell> cells_of(const json::value& item, const std::vector<Column>& columns,
                           WallTime now) {
  std::vector<Cell> out;
  for (const Column& column : columns) {
    const json::value* value = find_path(item, column.path);
    Cell cell{value == nullptr ? std::string() : shown(*value, column.show, now), Tone::plain};
    if (column.show == Show::state) cell.tone = tone_of_state(cell.text);
    out.push_back(std::move(cell));
  }
  return out;
}

/// Items that agree in everything that is shown become one row, in the order of their first item.
std::vector<Row> folded_rows(const json::array& items, const std::vector<Column>& columns,
                             const ListView& view, WallTime now) {
  std::vector<Row> out;
  std::map<std::string, size_t> index;
  for (const json::value& item : items) {
    Row row{cells_of(item, columns, now), {}};
    std::string key;
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].path == view.fold_path) continue;
      key += row.cells[c].text;
      key.push_back('\0');
    }
    const auto [it, fresh] = index.try_emplace(std::move(key), out.size());
    if (fresh) out.push_back(std::move(row));
    const json::value* name = find_path(item, view.fold_path);
    if (name != nullptr && name->is_string()) {
      out[it->second].names.emplace_back(name->get_string());
    }
  }
  for (Row& row : out) {
    const std::string set = printable(fold_names(row.names));
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].path == view.fold_path) row.cells[c].text = set;
    }
  }
  return out;
}

std::string render_table(const json::array& items, const std::vector<Column>& columns,
                         const ListView& view, const OutputOptions& options) {
  const bool fold = options.format == Format::table && !view.fold_path.empty();
  std::vector<TableColumn> heads;
  for (const Column& column : columns) {
    const bool right =
        column.show == Show::number || column.show == Show::bytes || column.show == Show::mebibytes;
    heads.push_back({column.title, right, column.flexible});
  }
  std::vector<std::vector<Cell>> rows;
  if (fold) {
    heads.insert(heads.begin() + 1, {"COUNT", true, false});
    for (Row& row : folded_rows(items, columns, view, options.now)) {
      row.cells.insert(row.cells.begin() + 1, {std::to_string(row.names.size()), Tone::plain});
      rows.push_back(std::move(row.cells));
    }
  } else {
    for (const json::value& item : items) rows.push_back(cells_of(item, columns, options.now));
  }
  return lay_out(heads, rows, {options.width, options.colour, options.header});
}

/// RFC 4180, with LF line ends as Unix tools want them.
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

std::string render_csv(const json::array& items, const std::vector<Column>& columns, bool header) {
  std::string out;
  const auto line = [&](const std::vector<std::string>& fields) {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out.push_back(',');
      out += csv_field(fields[i]);
    }
    out.push_back('\n');
  };
  std::vector<std::string> fields;
  for (const Column& column : columns) fields.push_back(lower(column.title));
  if (header) line(fields);
  for (const json::value& item : items) {
    fields.clear();
    for (const Column& column : columns) {
      const json::value* value = find_path(item, column.path);
      fields.push_back(value == nullptr ? std::string() : scalar_text(*value));
    }
    line(fields);
  }
  return out;
}

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
    case Format::name:
      for (const json::value& item : items) {
        const json::value* name = find_path(item, view.name_path);
        if (name != nullptr) out += scalar_text(*name) + "\n";
      }
      return out;
    default:
      break;
  }
  DROVER_TRY(const std::vector<Column> columns, chosen_columns(view, options));
  DROVER_CHECK_OK(check_columns(columns, items, view, options));
  if (options.format == Format::csv) return render_csv(items, columns, options.header);
  return render_table(items, columns, view, options);
}

std::string render_document(const json::value& document, const OutputOptions& options) {
  switch (options.format) {
    case Format::json:
      return terminal_safe_json(to_pretty_text(document));
    case Format::jsonl:
      return terminal_safe_json(to_text(document)) + "\n";
    case Format::yaml:
      return to_yaml(document);
    default:
      break;
  }
  std::vector<std::vector<Cell>> rows;
  const bool for_people = options.format != Format::csv;
  flatten(document, {}, for_people ? std::optional(options.now) : std::nullopt, rows);
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
