// systemd takes the real-time signals of systemd(1), the keeper those of its own header.
#include "os/machine_end.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace drover::os {
namespace {

constexpr std::array<std::string_view, 3> kNames{"reboot", "halt", "poweroff"};

}  // namespace

std::string_view name(MachineEnd how) {
  return kNames.at(static_cast<size_t>(how));
}

std::optional<MachineEnd> machine_end_from(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) return static_cast<MachineEnd>(i);
  }
  return std::nullopt;
}

Init find_init(const std::string& root) {
  std::error_code error;
  if (std::filesystem::is_directory(root + "/run/systemd/system", error)) return Init::systemd;
  // The kernel starts the first program of an initramfs as "/init", and nothing else does.
  std::ifstream in(root + "/proc/1/cmdline", std::ios::binary);
  std::string first;
  std::getline(in, first, '\0');
  const auto program = std::filesystem::read_symlink(root + "/proc/1/exe", error).filename();
  return first == "/init" && program == "drover-compute" ? Init::keeper : Init::unknown;
}

std::optional<int> end_signal(Init init, MachineEnd how) {
  switch (init) {
    case Init::systemd:
      return SIGRTMIN + (how == MachineEnd::halt ? 3 : how == MachineEnd::poweroff ? 4 : 5);
    case Init::keeper:
      return how == MachineEnd::halt ? SIGUSR1 : how == MachineEnd::poweroff ? SIGUSR2 : SIGTERM;
    case Init::unknown:
      break;
  }
  return std::nullopt;
}

Status end_machine(MachineEnd how) {
  const auto signal = end_signal(find_init(), how);
  if (!signal) {
    return fail(Code::unsupported,
                "this host's init is neither systemd nor Drover's: it does not know how to end",
                "end it by its BMC");
  }
  if (::kill(1, *signal) != 0) {
    return tl::unexpected(errno_error("ask init to " + std::string(name(how)), errno));
  }
  return {};
}

}  // namespace drover::os
