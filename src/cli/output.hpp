// Answers in the form the user asked for: table, wide, json, jsonl, yaml, csv or name.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

enum class Format { table, wide, json, jsonl, yaml, csv, name };
Result<Format> format_from_name(std::string_view name);

/// How a column shows its value.
enum class Show {
  text,
  state,   ///< coloured by what it means
  age,     ///< a time as "3m", in csv as it is
  number,  ///< right-aligned
  bytes,   ///< "64.0 MiB"
  mebibytes,
};

/// A column of a list, as data.
struct Column {
  std::string title;
  std::string path;  ///< into an item: "phase.state", "links.0.peer"
  Show show = Show::text;
  bool wide = false;      ///< shown by -o wide and csv alone
  bool flexible = false;  ///< may be cut on a narrow terminal
};

/// How one kind of list is shown.
struct ListView {
  std::vector<Column> columns = {};
  /// When set, -o table folds items that agree in every shown column into one row, and this path's
  /// values into a node set in the first column.
  std::string fold_path = {};
  std::string name_path = "name";  ///< -o name
  /// What its items are, as `drover explain` calls them: what --columns may name when there is
  /// none to look at. Empty: anything.
  std::string kind = {};
  std::string when_empty = {};  ///< said to people when there is no item: "no nodes"
};

struct OutputOptions {
  Format format = Format::table;
  std::vector<std::string> columns;  ///< titles or paths; empty: the view's own
  bool header = true;
  bool colour = false;
  size_t width = 0;
  WallTime now{};  ///< for ages
};

/// A list as text; values of `items` are taken out of it. invalid_argument for an unknown column.
Result<std::string> render_list(json::array items, const ListView& view,
                                const OutputOptions& options);
/// One document: json and yaml as it is, others as "path  value" lines.
std::string render_document(const json::value& document, const OutputOptions& options);

/// The value at a dotted path; null when there is none.
const json::value* find_path(const json::value& in, std::string_view path);
/// A scalar as text, printable; containers as compact JSON; null as "".
std::string scalar_text(const json::value& value);
/// scalar_text() of the value at a path; "" when there is none.
std::string text_at(const json::value& in, std::string_view path);
/// A field of CSV: RFC 4180, with LF line ends as Unix tools want them.
std::string csv_field(const std::string& text);
/// "3s", "12m", "5h", "8d" since a time in RFC 3339; the text itself when it is none.
std::string age_text(std::string_view rfc3339, WallTime now);
/// JSON text with characters that could steer a terminal escaped; still the same JSON.
std::string terminal_safe_json(std::string text);

}  // namespace drover::cli
