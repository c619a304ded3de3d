// What a disk that starts by itself is started with: a kernel, its first roots, and the file in
// which GRUB reads their names and the kernel's command line. Pure.
#pragma once

#include "nodeboot/command_line.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::nodeboot {

/// A file of an image on the start partition, named by its content.
struct StartFile {
  std::string sha256;
  std::string path;  ///< "/drover/kernel-0123456789abcdef"
};

struct StartPlan {
  StartFile kernel;
  std::vector<StartFile> initrds;
  std::string menu;    ///< grub.cfg
  std::string digest;  ///< SHA-256 of the menu, which names all the rest by content
};

/// `line` is the kernel's own command line, of which the disk's is made: without what is good for
/// one boot alone (token, time, and cloud-init's address that holds the token), and with
/// "drover.from=disk". Nothing when the command names no kernel.
std::optional<StartPlan> start_plan(const BootCommand& command, std::string_view line);

}  // namespace drover::nodeboot
