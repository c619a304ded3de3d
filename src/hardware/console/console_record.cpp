#include "hardware/console/console_record.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

/// A sequence that is longer is none: nobody's text shall be hidden for good.
constexpr size_t kLongestSequence = 256;
constexpr char kEscape = '\x1b';

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_end(char c) {
  return c == '\n' || c == '\r';
}

}  // namespace

std::string escape_console(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case kEscape:
        out += "\\e";
        break;
      default:
        if (c >= 0x20 && c < 0x7f) {
          out += c;
        } else {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  return out;
}

std::string unescape_console(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t at = std::min(text.find('\\'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.size() < 2) {
      out += text;
      break;
    }
    constexpr std::string_view kNames = "\\nrte";
    constexpr std::string_view kBytes = "\\\n\r\t\x1b";
    const size_t known = kNames.find(text[1]);
    constexpr size_t kHex = 4;  // \xNN
    const int high = text.size() >= kHex && text[1] == 'x' ? hex_digit(text[2]) : -1;
    const int low = high >= 0 ? hex_digit(text[3]) : -1;
    if (known != std::string_view::npos) {
      out += kBytes[known];
      text.remove_prefix(2);
    } else if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      text.remove_prefix(kHex);
    } else {
      out += '\\';
      text.remove_prefix(1);
    }
  }
  return out;
}

void ConsoleCutter::add(WallTime now, std::string_view bytes, std::vector<Piece>& out) {
  while (!bytes.empty()) {
    if (piece_.bytes.empty()) piece_.time = now;
    const size_t room = kLongest - piece_.bytes.size();
    const size_t end = bytes.find('\n');
    const size_t take = std::min({room, bytes.size(), end == bytes.npos ? bytes.size() : end + 1});
    piece_.bytes += bytes.substr(0, take);
    bytes.remove_prefix(take);
    if (piece_.bytes.size() == kLongest || piece_.bytes.ends_with('\n')) {
      out.push_back(std::exchange(piece_, {}));
    }
  }
}

std::optional<ConsoleCutter::Piece> ConsoleCutter::take_before(WallTime until) {
  if (piece_.bytes.empty() || piece_.time >= until) return {};
  return std::exchange(piece_, {});
}

// ECMA-48 sections 5.3 to 5.6: ESC and one byte, CSI to its final byte, strings to ST (or BEL, as
// xterm takes it).
bool ConsoleLines::is_text(char byte) {
  if (within_ == Within::text) {
    if (byte != kEscape) return true;
    within_ = Within::escape;
    hidden_ = 1;
    return false;
  }
  // A new line is one wherever it stands.
  if (is_end(byte) || ++hidden_ > kLongestSequence) {
    within_ = Within::text;
    return true;
  }
  switch (within_) {
    case Within::escape:
      if (byte == '[') {
        within_ = Within::csi;
      } else if (byte == ']' || byte == 'P' || byte == '_' || byte == '^' || byte == 'X') {
        within_ = Within::string;
      } else if (byte < 0x20 || byte > 0x2f) {  // not an intermediate byte, as in ESC ( B
        within_ = Within::text;
      }
      return false;
    case Within::csi:
      if (byte >= 0x40 && byte <= 0x7e) within_ = Within::text;
      return false;
    case Within::string:
      if (byte == kEscape) within_ = Within::string_escape;
      if (byte == '\a') within_ = Within::text;
      return false;
    case Within::string_escape:
      within_ = byte == '\\' ? Within::text : Within::string;
      return false;
    case Within::text:
      break;
  }
  return true;
}

void ConsoleLines::add(WallTime time, std::string_view bytes, std::vector<Line>& out) {
  for (const char byte : bytes) {
    if (!is_text(byte)) continue;
    if (is_end(byte)) {
      finish(out);
      continue;
    }
    if (line_.text.empty()) line_.time = time;
    line_.text += byte;
    if (line_.text.size() >= kLongest) finish(out);
  }
}

void ConsoleLines::finish(std::vector<Line>& out) {
  if (line_.text.empty()) return;
  line_.text = printable(line_.text);
  out.push_back(std::exchange(line_, {}));
}

std::optional<ConsoleLines::Line> ConsoleLines::rest() {
  std::vector<Line> out;
  finish(out);
  if (out.empty()) return {};
  return std::move(out.front());
}

}  // namespace drover::hardware
