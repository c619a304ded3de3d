// The terminal: its size, and raw input for full-screen programs.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace drover::os {

/// Columns and lines; zeros where they are not known.
struct TerminalSize {
  size_t width = 0;
  size_t height = 0;
};
TerminalSize terminal_size(int fd);

/// While it lives, keys come at once and are not echoed, and no key but those of job control
/// (Ctrl-C, Ctrl-Z) has a meaning to the kernel: termios(3) without ICANON and ECHO. Destroying it
/// restores what was.
class RawInput {
 public:
  enum class Mode : uint8_t {
    keys,         ///< as above
    transparent,  ///< not even those of job control, and what is written goes out as it is
  };
  /// unsupported when `fd` is no terminal.
  static Result<std::unique_ptr<RawInput>> make(int fd, Mode mode = Mode::keys);
  RawInput(const RawInput&) = delete;
  RawInput& operator=(const RawInput&) = delete;
  ~RawInput();

 private:
  struct Saved;
  explicit RawInput(int fd, std::unique_ptr<Saved> saved);
  int fd_;
  std::unique_ptr<Saved> saved_;
};

}  // namespace drover::os
