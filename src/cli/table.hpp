// Lays cells out in columns for a terminal of a given width.
#pragma once

#include "cli/style.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace drover::cli {

struct Cell {
  std::string text;  ///< printable already
  Tone tone = Tone::plain;
};

struct TableColumn {
  std::string title;
  bool right = false;     ///< numbers
  bool flexible = false;  ///< may be cut short with ".." when the terminal is narrow
};

struct TableLook {
  size_t width = 0;  ///< 0: not limited
  bool colour = false;
  bool header = true;
};

/// Lines of the table. Columns are two blanks apart; the last one is not padded. When the width
/// does not suffice, flexible columns are cut, the widest first, down to 8 columns each.
std::string lay_out(const std::vector<TableColumn>& columns,
                    const std::vector<std::vector<Cell>>& rows, const TableLook& look);

}  // namespace drover::cli
