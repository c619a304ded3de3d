#include "cli/top/frame.hpp"

#include "base/text.hpp"

#include <fmt/core.h>

namespace drover::cli::top {
namespace {

/// The longest begin of `text` that takes at most `width` columns.
std::string_view cut(std::string_view text, size_t width) {
  size_t used = 0;
  size_t at = 0;
  while (at < text.size()) {
    size_t next = at + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    used += display_width(text.substr(at, next - at));
    if (used > width) break;
    at = next;
  }
  return text.substr(0, at);
}

std::string row_text(const Row& row, size_t width, bool colour) {
  std::string out;
  size_t left = width;
  if (row.marked) out += "\x1b[7m";
  for (const Piece& piece : row.pieces) {
    const std::string_view shown = cut(piece.text, left);
    left -= std::min(display_width(shown), left);
    out += toned(shown, row.marked ? Tone::plain : piece.tone, colour);
  }
  if (row.marked) out += std::string(left, ' ') + "\x1b[0m";
  return out;
}

}  // namespace

std::string fit(std::string_view text, size_t width, bool right) {
  const size_t wide = display_width(text);
  if (wide > width) {
    if (width < 3) return std::string(cut(text, width));
    std::string out(cut(text, width - 2));
    out.append(width - 2 - display_width(out), ' ');
    return out + "..";
  }
  const std::string blanks(width - wide, ' ');
  return right ? blanks + std::string(text) : std::string(text) + blanks;
}

std::string plain_text(const Row& row, size_t width) {
  std::string out;
  for (const Piece& piece : row.pieces) out += piece.text;
  out = cut(out, width);
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string draw(const Frame& now, const Frame& before, bool colour) {
  const bool anew = now.width != before.width || now.rows.size() != before.rows.size();
  std::string out = anew ? "\x1b[2J" : "";
  for (size_t i = 0; i < now.rows.size(); ++i) {
    const std::string text = row_text(now.rows[i], now.width, colour);
    if (!anew && text == row_text(before.rows[i], before.width, colour)) continue;
    out += fmt::format("\x1b[{};1H{}\x1b[K", i + 1, text);
  }
  return out;
}

}  // namespace drover::cli::top
