// Text for people: natural order, terminal-safe text, display width, "did you mean".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace drover {

/// Three-way natural comparison: runs of digits compare as numbers (n2 < n10), all else by bytes.
/// A total order: names that differ only in padding (n1, n01) are ordered by their bytes.
int natural_compare(std::string_view a, std::string_view b);

/// Ordering of std::map, std::set and std::sort by natural order.
struct NaturalLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return natural_compare(a, b) < 0;
  }
};

/// Whether it is nothing but bytes 0x20 to 0x7e: one column each, nothing to make safe.
bool is_plain_ascii(std::string_view text);

/// `text` made safe to print: control bytes, DEL, C1 controls, bidirectional overrides and invalid
/// UTF-8 become \xNN or \u{NNNN}, so that data from a node cannot move a terminal's cursor, forge a
/// line or hide text. Newlines and tabs are kept when `keep_lines`.
std::string printable(std::string_view text, bool keep_lines = false);

/// Columns that printable UTF-8 `text` takes on a terminal (wcwidth rules, without a locale: wide
/// for East Asian wide and emoji blocks, zero for combining marks).
size_t display_width(std::string_view text);

/// The candidate nearest to `word` by edit distance, when it is near enough to be a typing mistake
/// (at most a third of the word's length, at least one edit); empty when none is.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace drover
