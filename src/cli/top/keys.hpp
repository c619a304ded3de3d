// Keys of a terminal, from the bytes that it sends. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli::top {

struct Key {
  enum class Kind {
    text,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    left,
    right,
    enter,
    escape,
    erase
  };
  Kind kind = Kind::text;
  std::string text;  ///< of text: one UTF-8 character
  bool operator==(const Key&) const = default;
};

/// Cuts bytes into keys: ECMA-48 sequences as xterm and the Linux console send them, UTF-8, and
/// drops what it does not know.
class KeyReader {
 public:
  std::vector<Key> feed(std::string_view bytes);
  /// Nothing came for a while: an escape that waits for more was the key itself.
  std::vector<Key> pause();
  [[nodiscard]] bool waits() const { return !held_.empty(); }

 private:
  /// Bytes of the first key in held_, 0 when it is not complete; appends it when it means
  /// something.
  size_t take(std::vector<Key>& out) const;
  std::string held_;
};

}  // namespace drover::cli::top
