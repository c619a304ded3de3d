#include "cli/table.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <numeric>

namespace drover::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kLeastFlexible = 8;

std::vector<size_t> widths_of(const std::vector<TableColumn>& columns,
                              const std::vector<std::vector<Cell>>& rows, const TableLook& look) {
  std::vector<size_t> widths(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    if (look.header) widths[c] = display_width(columns[c].title);
    for (const auto& row : rows) widths[c] = std::max(widths[c], display_width(row[c].text));
  }
  return widths;
}

void shrink(const std::vector<TableColumn>& columns, size_t limit, std::vector<size_t>& widths) {
  if (limit == 0 || widths.empty()) return;
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  };
  for (size_t over = total(); over > limit; over = total()) {
    // The widest flexible column gives way, at most down to the next widest.
    size_t widest = columns.size();
    size_t second = kLeastFlexible;
    for (size_t c = 0; c < columns.size(); ++c) {
      if (!columns[c].flexible || widths[c] <= kLeastFlexible) continue;
      if (widest == columns.size() || widths[c] > widths[widest]) {
        if (widest != columns.size()) second = std::max(second, widths[widest]);
        widest = c;
      } else {
        second = std::max(second, widths[c]);
      }
    }
    if (widest == columns.size()) return;
    const size_t floor = std::min(second, widths[widest] - 1);
    widths[widest] = std::max(floor, widths[widest] - std::min(over - limit, widths[widest]));
  }
}

/// `text`, which is wider, cut to `width` columns, its end marked.
std::string cut(const std::string& text, size_t width) {
  const size_t room = width < 2 ? width : width - 2;
  std::string out;
  size_t used = 0;
  for (size_t at = 0; at < text.size();) {
    size_t next = at + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    const std::string_view point(text.data() + at, next - at);
    used += display_width(point);
    if (used > room) break;
    out += point;
    at = next;
  }
  return width < 2 ? out : out + "..";
}

void append_line(std::string& out, const std::vector<TableColumn>& columns,
                 const std::vector<size_t>& widths, const std::vector<Cell>& cells, bool colour) {
  std::string line;
  size_t trailing = 0;  // blanks at the end so far
  for (size_t c = 0; c < columns.size(); ++c) {
    const size_t taken = display_width(cells[c].text);
    const bool fits = taken <= widths[c];
    const std::string shorter = fits ? std::string() : cut(cells[c].text, widths[c]);
    const std::string& text = fits ? cells[c].text : shorter;
    const size_t pad = widths[c] - (fits ? taken : std::min(widths[c], display_width(text)));
    if (columns[c].right) line.append(pad, ' ');
    line += toned(text, cells[c].tone, colour);
    trailing = text.empty() ? trailing + (columns[c].right ? pad : 0) : 0;
    const size_t after = (columns[c].right ? 0 : pad) + kGap;
    line.append(after, ' ');
    trailing += after;
  }
  line.resize(line.size() - trailing);
  out += line;
  out.push_back('\n');
}

}  // namespace

std::string lay_out(const std::vector<TableColumn>& columns,
                    const std::vector<std::vector<Cell>>& rows, const TableLook& look) {
  std::vector<size_t> widths = widths_of(columns, rows, look);
  shrink(columns, look.width, widths);
  std::string out;
  if (look.header) {
    std::vector<Cell> titles;
    titles.reserve(columns.size());
    for (const TableColumn& column : columns) titles.push_back({column.title, Tone::strong});
    append_line(out, columns, widths, titles, look.colour);
  }
  for (const auto& row : rows) append_line(out, columns, widths, row, look.colour);
  return out;
}

}  // namespace drover::cli
