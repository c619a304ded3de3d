// drover image initramfs: the first root of every node, made from this host's files.
#include "boot/image/initramfs.hpp"

#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;
using boot::image::Compression;

/// The agent beside this program, or where the package puts it.
Result<std::string> find_agent(Disk& disk) {
  const std::string beside = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::array<std::string, 3> places{beside + "/drover-compute", "/usr/sbin/drover-compute",
                                          "/usr/local/sbin/drover-compute"};
  for (const std::string& path : places) {
    DROVER_TRY(const bool there, disk.exists(path));
    if (there) return path;
  }
  return fail(Code::not_found, "drover-compute is not on this host",
              "install the package drover-compute, or name the program with --agent");
}

Result<std::string> modules_folder(const Given& given) {
  const std::string& kernel = given.text("kernel");
  if (kernel == "none") return std::string();
  if (kernel.starts_with('/')) return kernel;
  if (!kernel.empty()) return "/lib/modules/" + kernel;
  return fail(Code::invalid_argument, "it is not said for which kernel",
              "--kernel $(uname -r), or the folder with its modules");
}

Result<int> initramfs(Context& context, const Given& given) {
  Disk& disk = context.surroundings().disk;
  boot::image::InitramfsRequest request;
  request.agent = given.text("agent");
  if (request.agent.empty()) {
    DROVER_TRY(request.agent, find_agent(disk));
  }
  DROVER_TRY(request.modules_dir, modules_folder(given));
  for (const std::string& module : split_list(given.text("module"))) {
    request.modules.push_back(module);
  }
  const std::string& form = given.text("compression");
  if (!form.empty()) {
    request.compression = form == "zstd"   ? Compression::zstd
                          : form == "gzip" ? Compression::gzip
                                           : Compression::none;
  }
  DROVER_TRY(const auto made, make_initramfs(disk, request));
  const std::string& output = given.text("file");
  DROVER_CHECK_OK(disk.write_atomic(output, made.bytes, 0644));
  context.print(fmt::format("{}: {} KiB, {} KiB unpacked, {} libraries, {} modules of kernel {}\n",
                            output, made.bytes.size() / 1024, made.unpacked_bytes / 1024,
                            made.libraries.size(), made.modules.size(),
                            made.kernel_version.empty() ? "-" : made.kernel_version));
  if (given.has("module")) {
    for (const std::string& name : split_list(given.text("module"))) {
      const auto& missing = made.missing_modules;
      if (std::ranges::find(missing, name) == missing.end()) continue;
      return fail(Code::not_found,
                  fmt::format("kernel {} has no module {}", made.kernel_version, name));
    }
  }
  return 0;
}

}  // namespace

std::vector<Command> initramfs_commands() {
  return {{"image",
           "initramfs",
           "Make the first root of nodes: agent, libraries and kernel modules of this host",
           {{"file", Kind::required, "File to write"},
            {"kernel", Kind::option, "Its version, the folder of its modules, or none"},
            {"agent", Kind::option, "The program drover-compute [beside this one, or /usr/sbin]"},
            {"module", Kind::option, "Kernel modules beside the usual ones: NAME,.."},
            {"compression",
             Kind::option,
             "How it is packed [the best that the kernel reads]",
             {"zstd", "gzip", "none"}}},
           {"drover image initramfs /tmp/initramfs --kernel 6.1.0-18-amd64"},
           initramfs}};
}

}  // namespace drover::cli
