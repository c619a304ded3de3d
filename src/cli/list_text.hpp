// A list for people and for simple programs: table, wide, csv and name, made item by item.
#pragma once

#include "cli/output.hpp"
#include "cli/table.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::cli {

/// Keeps of each item what is shown of it, so that a list of any length is read through the memory
/// of one item. Used for one list.
class ListText {
 public:
  /// For the forms table, wide, csv and name. `view` and `options` outlive it. invalid_argument for
  /// an empty name of a column.
  static Result<ListText> make(const ListView& view, const OutputOptions& options);

  void add(const json::value& item);
  [[nodiscard]] size_t count() const { return count_; }
  /// The whole text. invalid_argument for a column that no item has.
  Result<std::string> finish();

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<std::string> names;  ///< of the nodes folded into it
  };

  ListText(const ListView& view, const OutputOptions& options, std::vector<Column> columns);
  [[nodiscard]] bool folds() const {
    return options_->format == Format::table && !view_->fold_path.empty();
  }
  std::vector<Cell> cells_of(const json::value& item);
  void fold(const json::value& item, std::vector<Cell> cells);
  void add_csv(const json::value& item);
  Status check_columns() const;
  std::string table();

  const ListView* view_;
  const OutputOptions* options_;
  std::vector<Column> columns_;
  std::vector<bool> seen_;  ///< whether an item has it
  size_t count_ = 0;
  std::string out_;
  std::vector<Row> rows_;
  std::map<std::string, size_t> index_;  ///< of folded rows, by all that is shown
};

}  // namespace drover::cli
