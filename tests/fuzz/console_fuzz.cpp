// What consoles say: kept as text, put together to lines, whatever a machine sends and however it
// is cut.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "hardware/console/console_record.hpp"
#include "hardware/console/program_line.hpp"

using namespace drover::hardware;

DROVER_FUZZ_TARGET(input) {
  const std::string text = escape_console(input);
  drover::fuzz::require(drover::is_plain_ascii(text), "a kept piece is printable ASCII");
  drover::fuzz::require(unescape_console(text) == input, "every byte comes back");
  (void)unescape_console(input);

  const drover::WallTime now = drover::from_unix_ms(1'767'225'600'000);
  ConsoleCutter cutter;
  std::vector<ConsoleCutter::Piece> pieces;
  const size_t half = input.size() / 2;
  cutter.add(now, input.substr(0, half), pieces);
  cutter.add(now, input.substr(half), pieces);
  if (auto rest = cutter.take_before(drover::WallTime::max())) pieces.push_back(*std::move(rest));
  std::string whole;
  ConsoleLines lines;
  std::vector<ConsoleLines::Line> out;
  for (const auto& piece : pieces) {
    drover::fuzz::require(piece.bytes.size() <= ConsoleCutter::kLongest, "pieces are bounded");
    whole += piece.bytes;
    lines.add(piece.time, piece.bytes, out);
  }
  drover::fuzz::require(whole == input, "cutting loses nothing");
  if (auto rest = lines.rest()) out.push_back(*std::move(rest));
  for (const auto& line : out) {
    drover::fuzz::require(drover::printable(line.text) == line.text, "a line is printable");
  }
  const IpmiAccess access{"10.0.0.7", 623, "root", ""};
  drover::fuzz::require(
      drover::is_plain_ascii(ssh_error({"h", 22, "u", "", "", "", ""}, "").text()),
      "an error is text");
  (void)sol_error(access, input);
  EscapeGuard guard;
  drover::fuzz::require(guard.guard(input).size() <= 2 * input.size(), "only '~' is doubled");
}
