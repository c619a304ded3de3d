#include "os/terminal.hpp"

#include <cerrno>

#include <sys/ioctl.h>
#include <termios.h>

namespace drover::os {

struct RawInput::Saved {
  termios modes{};
};

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

Result<std::unique_ptr<RawInput>> RawInput::make(int fd, Mode mode) {
  auto saved = std::make_unique<Saved>();
  if (tcgetattr(fd, &saved->modes) != 0) {
    if (errno == ENOTTY) return fail(Code::unsupported, "standard input is not a terminal");
    return tl::unexpected(errno_error("reading the terminal's modes", errno));
  }
  termios raw = saved->modes;
  raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  if (mode == Mode::transparent) {
    raw.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR);
    raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHONL | ISIG);
  }
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  if (tcsetattr(fd, TCSAFLUSH, &raw) != 0) {
    return tl::unexpected(errno_error("setting the terminal's modes", errno));
  }
  return std::unique_ptr<RawInput>(new RawInput(fd, std::move(saved)));
}

RawInput::RawInput(int fd, std::unique_ptr<Saved> saved) : fd_(fd), saved_(std::move(saved)) {}

RawInput::~RawInput() {
  (void)tcsetattr(fd_, TCSAFLUSH, &saved_->modes);
}

}  // namespace drover::os
