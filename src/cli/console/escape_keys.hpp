// The keys by which a person at a console speaks to drover itself: Ctrl-E c and one more, as in
// conserver(8). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct ConsoleKey {
  enum class Kind {
    typed,       ///< for the machine: `text`
    leave,       ///< Ctrl-E c .
    help,        ///< Ctrl-E c ?
    who,         ///< Ctrl-E c w
    spy,         ///< Ctrl-E c s
    write,       ///< Ctrl-E c a
    send_break,  ///< Ctrl-E c l 0
    unknown,     ///< Ctrl-E c and anything else: `text` is that
  };
  Kind kind = Kind::typed;
  std::string text = {};
  bool operator==(const ConsoleKey&) const = default;
};

/// Takes bytes as they are typed.
class EscapeKeys {
 public:
  static constexpr char kFirst = '\x05';  ///< Ctrl-E
  static constexpr char kSecond = 'c';
  std::vector<ConsoleKey> feed(std::string_view bytes);
  /// Nothing came for a while: a Ctrl-E alone was for the machine.
  std::vector<ConsoleKey> pause();
  [[nodiscard]] bool waits() const { return held_ == 1; }

 private:
  size_t held_ = 0;  ///< keys of the sequence that have come
};

/// What help says, a line each.
std::string_view console_help();

}  // namespace drover::cli
