// What a console said, as it is kept: pieces of bytes in a line of text each, and lines for people
// made of them again. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

/// Bytes as text of printable ASCII alone, from which they come back: `\\`, `\n`, `\r`, `\t`, `\e`
/// and `\xNN`.
std::string escape_console(std::string_view bytes);
/// The bytes; what was not written by escape_console() comes back as it is.
std::string unescape_console(std::string_view text);

/// Cuts what comes into pieces that are kept with the time of their first byte: at ends of lines
/// and of silence, and where a piece gets too long.
class ConsoleCutter {
 public:
  /// Bytes of one piece: escaped they are at most four times as long.
  static constexpr size_t kLongest = 500;
  struct Piece {
    WallTime time{};
    std::string bytes;
  };
  void add(WallTime now, std::string_view bytes, std::vector<Piece>& out);
  /// What waits for its end, when it came before `until`.
  std::optional<Piece> take_before(WallTime until);
  [[nodiscard]] bool waits() const { return !piece_.bytes.empty(); }

 private:
  Piece piece_;
};

/// Puts pieces together to lines: text without control sequences (ECMA-48), printable. A line ends
/// with CR or LF; empty ones are left out.
class ConsoleLines {
 public:
  struct Line {
    WallTime time{};  ///< of its first byte
    std::string text;
  };
  /// Bytes of a line above which it is cut.
  static constexpr size_t kLongest = 1024;
  void add(WallTime time, std::string_view bytes, std::vector<Line>& out);
  /// The line that has no end yet, such as a prompt.
  std::optional<Line> rest();

 private:
  enum class Within : uint8_t { text, escape, csi, string, string_escape };
  /// Whether the byte is text.
  bool is_text(char byte);
  void finish(std::vector<Line>& out);

  Line line_;
  Within within_ = Within::text;
  size_t hidden_ = 0;  ///< bytes of the sequence in hand
};

}  // namespace drover::hardware
