// drover lab: machines with nothing on their disks that boot from a manager, all on this host. The
// work is done by the script beside the programs.
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "os/become.hpp"

#include <array>
#include <charconv>
#include <filesystem>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// As a package puts it, or in the tree that this program was built in.
Result<std::string> find_script(Disk& disk, const std::string& beside) {
  const std::array<std::string, 2> places{"/usr/share/drover/lab.sh",
                                          beside + "/../../../demo/lab.sh"};
  for (const std::string& path : places) {
    DROVER_TRY(const bool there, disk.exists(path));
    if (there) return path;
  }
  return fail(Code::not_found,
              fmt::format("the lab's script is neither at {} nor at {}", places[0], places[1]),
              "install the package drover, or run this in the source tree");
}

Result<int> run_script(Context& context, std::vector<std::string> arguments) {
  const std::string beside = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  DROVER_TRY(const std::string script, find_script(context.surroundings().disk, beside));
  arguments.insert(arguments.begin(), script);
  DROVER_CHECK_OK(os::become("/bin/sh", arguments, {{"DROVER_BIN", beside}}));
  return 0;
}

Status check_number(const Given& given, std::string_view name, int least, int most) {
  const std::string& text = given.text(name);
  if (text.empty()) return {};
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return fail(Code::invalid_argument, fmt::format("--{} takes a number from {} to {}, not '{}'",
                                                    name, least, most, text));
  }
  return {};
}

Result<int> up(Context& context, const Given& given) {
  DROVER_CHECK_OK(check_number(given, "nodes", 1, 64));
  DROVER_CHECK_OK(check_number(given, "memory", 192, 65536));
  std::vector<std::string> arguments{"up"};
  for (const char* name : {"nodes", "memory"}) {
    if (given.text(name).empty()) continue;
    arguments.insert(arguments.end(), {fmt::format("--{}", name), given.text(name)});
  }
  if (given.has("uefi") && given.has("uefi-http")) {
    return fail(Code::invalid_argument, "--uefi and --uefi-http exclude each other");
  }
  for (const char* name : {"uefi", "uefi-http"}) {
    if (given.has(name)) arguments.push_back(fmt::format("--{}", name));
  }
  return run_script(context, std::move(arguments));
}

Result<int> down(Context& context, const Given&) {
  return run_script(context, {"down"});
}

Result<int> status(Context& context, const Given&) {
  return run_script(context, {"status"});
}

}  // namespace

std::vector<Command> lab_commands() {
  return {
      {"lab",
       "up",
       "Boot virtual machines with nothing on their disks from a manager, on this host alone",
       {{"nodes", Kind::option, "How many machines, 1 to 64 [2]"},
        {"memory", Kind::option, "MiB of each machine [256]"},
        {"uefi", Kind::flag, "UEFI firmware and its PXE in place of a BIOS"},
        {"uefi-http", Kind::flag, "UEFI firmware that boots by HTTP"}},
       {"drover lab up", "drover lab up --nodes 4 --uefi"},
       up},
      {"lab", "down", "End the lab and remove all of it", {}, {"drover lab down"}, down},
      {"lab", "status", "What of the lab runs, and its nodes", {}, {"drover lab status"}, status}};
}

}  // namespace drover::cli
