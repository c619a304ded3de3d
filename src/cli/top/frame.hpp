// A screen of text: rows of toned pieces, and what must be sent to turn one screen into the next.
// Pure.
#pragma once

#include "cli/style.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli::top {

struct Piece {
  std::string text;  ///< printable
  Tone tone = Tone::plain;
};

struct Row {
  std::vector<Piece> pieces;
  bool marked = false;  ///< shown in reverse, over the whole width
};

struct Frame {
  size_t width = 80;
  std::vector<Row> rows;
};

/// `text` in exactly `width` columns: cut, its end marked, or filled with blanks, before it when
/// `right`.
std::string fit(std::string_view text, size_t width, bool right = false);

/// The row's text alone, cut at `width` columns, without blanks at its end. For tests.
std::string plain_text(const Row& row, size_t width);

/// Escape codes (ECMA-48) that draw the rows of `now` that differ from `before`; everything when
/// the sizes differ.
std::string draw(const Frame& now, const Frame& before, bool colour);

}  // namespace drover::cli::top
