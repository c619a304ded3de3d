// "boot" holds the number of the next kernel message, then the command line as it was.
#include "nodeboot/handover.hpp"

#include <charconv>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::nodeboot {
namespace {

constexpr size_t kLargest = size_t{64} << 10;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<unsigned char>(c) >= ' ') out.push_back(c);
  }
  return out + "\"";
}

std::string config_text(const std::string& state, const auth::EnrolAnswer& enrolled) {
  std::vector<std::string> aggregators;
  for (const std::string& one : enrolled.aggregators) aggregators.push_back(quoted(one));
  return fmt::format(
      "# Written by the boot of this node.\n"
      "cluster = {}\nname = {}\nstate = {}\nsocket = {}\nspool = false\naggregators = [{}]\n",
      quoted(enrolled.cluster), quoted(enrolled.name), quoted(state),
      quoted(state + "/compute.sock"), fmt::join(aggregators, ", "));
}

}  // namespace

Status write_handover(Disk& disk, const std::string& state, const Outcome& outcome,
                      const std::string& line, uint64_t next_message) {
  DROVER_CHECK_OK(disk.make_dirs(state, 0700));
  DROVER_CHECK_OK(auth::IdentityFiles(disk, state + "/identity").save(outcome.identity));
  DROVER_CHECK_OK(
      disk.write_atomic(state + "/compute.toml", config_text(state, outcome.enrolled), 0600));
  // Last: once it is there, the boot counts as done.
  return disk.write_atomic(state + "/boot", fmt::format("{}\n{}", next_message, line), 0600);
}

Result<Handover> read_handover(Disk& disk, const std::string& state) {
  DROVER_TRY(const std::string text, disk.read_all(state + "/boot", kLargest));
  Handover out;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out.next_message);
  const auto used = static_cast<size_t>(end - text.data());
  if (error != std::errc{} || used >= text.size() || text[used] != '\n') {
    return fail(Code::corrupt, state + "/boot is damaged");
  }
  DROVER_TRY(out.command, parse_boot_command(std::string_view(text).substr(used + 1)));
  return out;
}

}  // namespace drover::nodeboot
