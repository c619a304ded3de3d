#include "cli/list_text.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/selection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

namespace drover::cli {
namespace {

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
      out.push_back({printable(asked), path_of(asked, view), Show::text, false, true});
    }
  }
  return out;
}

}  // namespace

Result<ListText> ListText::make(const ListView& view, const OutputOptions& options) {
  if (options.format == Format::name) return ListText(view, options, {});
  DROVER_TRY(std::vector<Column> columns, chosen_columns(view, options));
  return ListText(view, options, std::move(columns));
}

ListText::ListText(const ListView& view, const OutputOptions& options, std::vector<Column> columns)
    : view_(&view), options_(&options), columns_(std::move(columns)), seen_(columns_.size()) {
  if (options.format != Format::csv || !options.header) return;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out_.push_back(',');
    out_ += csv_field(lower(columns_[i].title));
  }
  out_.push_back('\n');
}

void ListText::add(const json::value& item) {
  ++count_;
  switch (options_->format) {
    case Format::name:
      if (const json::value* name = find_path(item, view_->name_path)) {
        out_ += scalar_text(*name) + "\n";
      }
      return;
    case Format::csv:
      return add_csv(item);
    default:
      break;
  }
  std::vector<Cell> cells = cells_of(item);
  if (folds()) return fold(item, std::move(cells));
  rows_.push_back({std::move(cells), {}});
}

void ListText::add_csv(const json::value& item) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out_.push_back(',');
    const json::value* value = find_path(item, columns_[i].path);
    if (value == nullptr) continue;
    seen_[i] = true;
    out_ += csv_field(scalar_text(*value));
  }
  out_.push_back('\n');
}

std::vector<Cell> ListText::cells_of(const json::value& item) {
  std::vector<Cell> out;
  out.reserve(columns_.size() + 1);  // a folded table counts
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const json::value* value = find_path(item, column.path);
    if (value != nullptr) seen_[i] = true;
    Cell& cell = out.emplace_back();
    if (value != nullptr) cell.text = shown(*value, column.show, options_->now);
    if (column.show == Show::state) cell.tone = tone_of_state(cell.text);
  }
  return out;
}

/// Items that agree in everything that is shown become one row, in the order of their first item.
void ListText::fold(const json::value& item, std::vector<Cell> cells) {
  std::string key;
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].path == view_->fold_path) continue;
    key += cells[c].text;
    key.push_back('\0');
  }
  const auto [it, fresh] = index_.try_emplace(std::move(key), rows_.size());
  if (fresh) rows_.push_back({std::move(cells), {}});
  const json::value* name = find_path(item, view_->fold_path);
  if (name != nullptr && name->is_string()) {
    rows_[it->second].names.emplace_back(name->get_string());
  }
}

/// A path that no item has is a typing mistake, not an empty column.
Status ListText::check_columns() const {
  if (options_->columns.empty()) return {};
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!seen_[i]) DROVER_CHECK_OK(check_unseen("--columns", columns_[i].path, count_, *view_));
  }
  return {};
}

std::string ListText::table() {
  std::vector<TableColumn> heads;
  for (const Column& column : columns_) {
    const bool right =
        column.show == Show::number || column.show == Show::bytes || column.show == Show::mebibytes;
    heads.push_back({column.title, right, column.flexible});
  }
  if (folds()) heads.insert(heads.begin() + 1, {"COUNT", true, false});
  std::vector<std::vector<Cell>> rows;
  rows.reserve(rows_.size());
  for (Row& row : rows_) {
    if (folds()) {
      const std::string set = printable(fold_names(row.names));
      for (size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c].path == view_->fold_path) row.cells[c].text = set;
      }
      row.cells.insert(row.cells.begin() + 1, {std::to_string(row.names.size()), Tone::plain});
    }
    rows.push_back(std::move(row.cells));
  }
  return lay_out(heads, rows, {options_->width, options_->colour, options_->header});
}

Result<std::string> ListText::finish() {
  DROVER_CHECK_OK(check_columns());
  if (options_->format == Format::name || options_->format == Format::csv) return std::move(out_);
  return table();
}

}  // namespace drover::cli
