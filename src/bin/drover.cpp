// drover: the command line.
#include "base/config.hpp"
#include "cli/surroundings.hpp"
#include "os/editor.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

extern char** environ;

namespace {

void write_to(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

std::string read_input() {
  std::string out;
  std::array<char, 65536> buffer{};
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    out.append(buffer.data(), count);
  }
  return out;
}

/// The editor that the user has chosen; vi is on every system (POSIX).
std::string editor() {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != 0) return value;
  }
  return "vi";
}

drover::Result<std::string> read_line() {
  std::string out;
  for (int c = std::getchar(); c != '\n'; c = std::getchar()) {
    if (c == EOF) return drover::fail(drover::Code::cancelled, "the input ended");
    out.push_back(static_cast<char>(c));
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  auto loop = drover::net::Loop::make();
  if (!loop) {
    write_to(stderr, "drover: " + loop.error().text() + "\n");
    return 1;
  }
  drover::os::RealDisk disk;
  drover::os::RealRandom random;
  drover::cli::Surroundings surroundings(**loop, disk, random);
  surroundings.arguments.assign(argv + 1, argv + argc);
  surroundings.environment = drover::drover_environment(environ);
  if (const char* no_color = std::getenv("NO_COLOR"))
    surroundings.environment["NO_COLOR"] = no_color;
  surroundings.out = [](std::string_view text) { write_to(stdout, text); };
  surroundings.err = [](std::string_view text) { write_to(stderr, text); };
  surroundings.input = [] { return drover::Result<std::string>(read_input()); };
  surroundings.answer = [] { return read_line(); };
  surroundings.edit = [](const std::string& text) { return drover::os::edit_text(text, editor()); };
  surroundings.in_is_terminal = isatty(STDIN_FILENO) == 1;
  surroundings.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    surroundings.width = size.ws_col;
    surroundings.height = size.ws_row;
  }
  return drover::cli::run(surroundings);
}
