// Names by content: while a new kernel is written, the old menu and all it names are still there.
#include "nodeboot/disk_menu.hpp"

#include "net/sha256.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::nodeboot {
namespace {

/// Words of one boot, or of the loader that wrote them.
constexpr std::array<std::string_view, 9> kLeftOut{
    "drover.token=",   "drover.time=", "drover.from=", "drover.wipe=", "drover.mode=",
    "drover.secrets=", "initrd=",      "BOOT_IMAGE=",  "ds=nocloud;s="};

StartFile named(std::string_view what, const std::string& sha256) {
  return {sha256, fmt::format("/drover/{}-{}", what, sha256.substr(0, 16))};
}

/// GRUB's shell takes what stands in single quotes as it is; words with such a quote in them cannot
/// come from Drover, which refuses them.
std::string words_for_disk(std::string_view line) {
  std::string out = "'drover.mode=disk' 'drover.from=disk'";
  for (const std::string& word : split_command_line(line)) {
    const bool left_out =
        word.find('\'') != std::string::npos ||
        std::ranges::any_of(kLeftOut, [&](std::string_view key) { return word.starts_with(key); });
    if (!left_out) out += fmt::format(" '{}'", word);
  }
  return out;
}

}  // namespace

std::optional<StartPlan> start_plan(const BootCommand& command, std::string_view line) {
  if (command.kernel.empty()) return std::nullopt;
  StartPlan out;
  out.kernel = named("kernel", command.kernel);
  std::string initrds;
  for (const std::string& sha256 : command.initrds) {
    out.initrds.push_back(named("initrd", sha256));
    initrds += " " + out.initrds.back().path;
  }
  out.menu = fmt::format(
      "# Written by Drover for {}; what the node boots by when its network does not answer.\n"
      "set timeout=0\n"
      "echo 'Drover: {} boots from its disk'\n"
      "linux {} {}\n",
      command.node, command.node, out.kernel.path, words_for_disk(line));
  if (!initrds.empty()) out.menu += fmt::format("initrd{}\n", initrds);
  out.menu += "boot\n";
  out.digest = net::sha256_hex(out.menu);
  return out;
}

}  // namespace drover::nodeboot
