#include "cli/console/escape_keys.hpp"

namespace drover::cli {
namespace {

using Kind = ConsoleKey::Kind;

void type(std::vector<ConsoleKey>& out, std::string_view text) {
  if (out.empty() || out.back().kind != Kind::typed) out.push_back({});
  out.back().text += text;
}

constexpr std::string_view kBoth{
    "\x05"
    "c"};

}  // namespace

std::vector<ConsoleKey> EscapeKeys::feed(std::string_view bytes) {
  constexpr size_t kBreak = 3;  // Ctrl-E c l was typed
  std::vector<ConsoleKey> out;
  for (const char key : bytes) {
    if (held_ == 0) {
      if (key == kFirst) {
        held_ = 1;
      } else {
        type(out, {&key, 1});
      }
      continue;
    }
    if (held_ == 1) {
      if (key == kSecond) {
        held_ = 2;
        continue;
      }
      type(out, kBoth.substr(0, 1));
      held_ = key == kFirst ? 1 : 0;
      if (held_ == 0) type(out, {&key, 1});
      continue;
    }
    const bool third = held_ == kBreak;
    held_ = 0;
    if (third) {
      out.push_back(key == '0' ? ConsoleKey{Kind::send_break}
                               : ConsoleKey{Kind::unknown, std::string("l") + key});
      continue;
    }
    switch (key) {
      case '.':
        out.push_back({Kind::leave});
        break;
      case '?':
        out.push_back({Kind::help});
        break;
      case 'w':
        out.push_back({Kind::who});
        break;
      case 's':
        out.push_back({Kind::spy});
        break;
      case 'a':
        out.push_back({Kind::write});
        break;
      case 'l':
        held_ = kBreak;
        break;
      case 'e':
        type(out, kBoth);
        break;
      default:
        out.push_back({Kind::unknown, std::string(1, key)});
    }
  }
  return out;
}

std::vector<ConsoleKey> EscapeKeys::pause() {
  std::vector<ConsoleKey> out;
  if (waits()) {
    held_ = 0;
    type(out, kBoth.substr(0, 1));
  }
  return out;
}

std::string_view console_help() {
  return "Ctrl-E c .    leave\n"
         "Ctrl-E c w    who is here\n"
         "Ctrl-E c s    look on only\n"
         "Ctrl-E c a    type again\n"
         "Ctrl-E c l 0  send a break (of Linux: SysRq)\n"
         "Ctrl-E c e    send Ctrl-E c itself\n"
         "Ctrl-E c ?    this\n";
}

}  // namespace drover::cli
