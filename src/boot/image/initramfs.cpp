// Collects the closure of the agent's libraries and of the modules, and packs it.
#include "boot/image/initramfs.hpp"

#include "boot/image/cpio.hpp"
#include "boot/image/elf.hpp"
#include "os/kernel_modules.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::boot::image {
namespace {

/// Programs and libraries are far smaller; what is larger was named by mistake.
constexpr size_t kLargestFile = size_t{512} << 20;
constexpr std::string_view kAgentPath = "/usr/sbin/drover-compute";

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

class Builder {
 public:
  Builder(Disk& disk, const InitramfsRequest& request) : disk_(disk), request_(request) {}

  Result<Initramfs> build() {
    DROVER_CHECK_OK(skeleton());
    DROVER_CHECK_OK(agent());
    DROVER_CHECK_OK(tools());
    if (!request_.modules_dir.empty()) DROVER_CHECK_OK(modules());
    for (const ExtraFile& extra : request_.extra) {
      DROVER_CHECK_OK(cpio_.file(extra.path, extra.bytes, extra.permissions));
    }
    DROVER_TRY(const std::string archive, cpio_.bytes());
    out_.unpacked_bytes = archive.size();
    std::ranges::sort(out_.libraries);
    std::ranges::sort(out_.modules);
    std::ranges::sort(out_.missing_modules);
    const Compression how = request_.compression.value_or(compression_for(out_.kernel_version));
    DROVER_TRY(out_.bytes, compress(archive, how));
    return std::move(out_);
  }

 private:
  Status skeleton() {
    for (const char* path : {"/dev", "/proc", "/sys", "/run", "/root", "/etc"}) {
      DROVER_CHECK_OK(cpio_.folder(path, 0755));
    }
    DROVER_CHECK_OK(cpio_.folder("/tmp", 01777));
    // There before devtmpfs is: the kernel opens the console as init's standard streams.
    DROVER_CHECK_OK(cpio_.device("/dev/console", false, 5, 1, 0600));
    DROVER_CHECK_OK(cpio_.device("/dev/null", false, 1, 3, 0666));
    return cpio_.device("/dev/kmsg", false, 1, 11, 0600);
  }

  Status agent() {
    DROVER_TRY(const std::string bytes, read(request_.agent));
    DROVER_TRY(const ElfFacts facts, elf(request_.agent, bytes));
    machine_ = facts.machine;
    DROVER_CHECK_OK(add_elf(request_.agent, std::string(kAgentPath), bytes));
    if (!facts.interpreter.empty()) {
      DROVER_TRY(const std::string loader, read(facts.interpreter));
      DROVER_CHECK_OK(add_library(facts.interpreter, loader));
    }
    return cpio_.link("/init", std::string(kAgentPath).substr(1));
  }

  Status tools() {
    for (const std::string& path : request_.tools) {
      DROVER_TRY(const bool there, disk_.exists(path));
      if (!there) {
        out_.missing_tools.push_back(path);
        continue;
      }
      DROVER_TRY(const std::string bytes, read(path));
      const std::string place = fmt::format("{}/{}", kTools, path.substr(path.rfind('/') + 1));
      DROVER_CHECK_OK(add_elf(path, place, bytes));
    }
    return {};
  }

  Result<std::string> read(const std::string& path) {
    auto bytes = disk_.read_all(path, kLargestFile);
    if (!bytes) return fail_in("making an initramfs", std::move(bytes).error());
    return bytes;
  }

  static Result<ElfFacts> elf(const std::string& path, std::string_view bytes) {
    auto facts = read_elf(bytes);
    if (!facts) return fail_in(path, std::move(facts).error());
    return facts;
  }

  Status add_library(const std::string& path, std::string_view bytes) {
    if (cpio_.has(path)) return {};
    out_.libraries.push_back(path);
    return add_elf(path, path, bytes);
  }

  /// Adds a program or library and, after it, what it needs.
  Status add_elf(const std::string& path, const std::string& place, std::string_view bytes) {
    DROVER_TRY(const ElfFacts facts, elf(path, bytes));
    DROVER_TRY(std::string kept, without_sections(bytes));
    DROVER_CHECK_OK(cpio_.file(place, std::move(kept), 0755));
    for (const std::string& name : facts.needed) {
      if (!found_.insert(name).second) continue;
      DROVER_CHECK_OK(find_library(name, path, facts));
    }
    return {};
  }

  Status find_library(const std::string& name, const std::string& user, const ElfFacts& facts) {
    std::vector<std::string> dirs;
    for (const std::string& dir : facts.search) {
      dirs.push_back(dir.starts_with("$ORIGIN") ? folder_of(user) + dir.substr(7) : dir);
    }
    dirs.insert(dirs.end(), request_.library_dirs.begin(), request_.library_dirs.end());
    for (const std::string& dir : dirs) {
      const std::string path = name.starts_with('/') ? name : dir + "/" + name;
      DROVER_TRY(const bool there, disk_.exists(path));
      if (!there) continue;
      DROVER_TRY(const std::string bytes, read(path));
      const auto other = read_elf(bytes);
      if (!other || other->machine != machine_) continue;  // of another architecture, as ld.so
      return add_library(path, bytes);
    }
    return fail(Code::not_found,
                fmt::format("library {}, which {} needs, is in none of {}", name, user,
                            fmt::join(dirs, ", ")),
                "install the package that has it, or name its folder");
  }

  Status modules() {
    const std::string& dir = request_.modules_dir;
    out_.kernel_version = dir.substr(dir.find_last_not_of('/') == std::string::npos
                                         ? 0
                                         : dir.rfind('/', dir.find_last_not_of('/')) + 1);
    while (out_.kernel_version.ends_with('/')) out_.kernel_version.pop_back();
    DROVER_TRY(const std::string dep, read(dir + "/modules.dep"));
    const std::string alias = optional_text("modules.alias");
    const std::string builtin = optional_text("modules.builtin");
    const std::string softdep = optional_text("modules.softdep");
    const auto index = os::ModuleIndex::parse({dep, alias, builtin, softdep});
    std::map<std::string, const os::ModuleIndex::Module*> chosen;
    for (const std::string& name : request_.modules) {
      const auto order = index.load_order(name);
      if (!order) {
        out_.missing_modules.push_back(name);
        continue;
      }
      for (const std::string& path : *order) {
        const std::string module = os::module_name(path);
        chosen.emplace(module, index.find(module));
      }
    }
    for (const auto& [name, module] : chosen) {
      DROVER_TRY(std::string bytes, read(dir + "/" + module->path));
      DROVER_CHECK_OK(cpio_.file(in_archive(module->path), std::move(bytes), 0644));
      out_.modules.push_back(name);
    }
    return write_index(index, chosen, builtin);
  }

  /// The tables of depmod cut down to what is there.
  Status write_index(const os::ModuleIndex& index,
                     const std::map<std::string, const os::ModuleIndex::Module*>& chosen,
                     const std::string& builtin) {
    std::string dep;
    std::string softdep;
    for (const auto& [name, module] : chosen) {
      dep += module->path + ":";
      for (auto need = module->needs.rbegin(); need != module->needs.rend(); ++need) {
        dep += " " + *need;
      }
      dep += "\n";
      if (!module->wants.empty()) {
        softdep += fmt::format("softdep {} pre: {}\n", name, fmt::join(module->wants, " "));
      }
    }
    std::string alias;
    for (const auto& [pattern, module] : index.aliases()) {
      if (chosen.contains(module)) alias += fmt::format("alias {} {}\n", pattern, module);
    }
    DROVER_CHECK_OK(cpio_.file(in_archive("modules.dep"), std::move(dep), 0644));
    DROVER_CHECK_OK(cpio_.file(in_archive("modules.alias"), std::move(alias), 0644));
    DROVER_CHECK_OK(cpio_.file(in_archive("modules.softdep"), std::move(softdep), 0644));
    return cpio_.file(in_archive("modules.builtin"), builtin, 0644);
  }

  [[nodiscard]] std::string in_archive(const std::string& path) const {
    return fmt::format("/lib/modules/{}/{}", out_.kernel_version, path);
  }

  std::string optional_text(const char* name) {
    return disk_.read_all(request_.modules_dir + "/" + name).value_or("");
  }

  Disk& disk_;
  const InitramfsRequest& request_;
  Cpio cpio_;
  Initramfs out_;
  uint16_t machine_ = 0;
  std::set<std::string> found_;
};

}  // namespace

std::vector<std::string> InitramfsRequest::default_modules() {
  return {// network cards: virtual, then by maker
          "virtio_pci", "virtio_mmio", "virtio_net", "vmxnet3", "hv_netvsc", "xen_netfront", "ena",
          "gve", "e1000", "e1000e", "igb", "igc", "ixgbe", "ixgbevf", "i40e", "iavf", "ice",
          "r8169", "8139cp", "tg3", "bnx2", "bnx2x", "bnxt_en", "qede", "be2net", "cxgb4",
          "mlx4_en", "mlx5_core", "sfc", "atlantic", "hns3", "af_packet",
          // an image as root
          "loop", "squashfs", "overlay",
          // disks
          "virtio_blk", "virtio_scsi", "sd_mod", "ahci", "nvme", "ext4", "vfat", "nls_ascii",
          "nls_cp437",
          // messages of a dying kernel, random numbers, the machine's own controller
          "netconsole", "virtio_rng", "virtio_console", "ipmi_si", "ipmi_devintf"};
}

std::vector<std::string> InitramfsRequest::default_tools() {
  return {"/usr/sbin/mke2fs", "/usr/sbin/mkfs.fat"};
}

std::vector<std::string> InitramfsRequest::default_library_dirs() {
  return {"/lib/x86_64-linux-gnu",
          "/usr/lib/x86_64-linux-gnu",
          "/lib/aarch64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/lib64",
          "/usr/lib64",
          "/lib",
          "/usr/lib"};
}

Result<Initramfs> make_initramfs(Disk& disk, const InitramfsRequest& request) {
  return Builder(disk, request).build();
}

}  // namespace drover::boot::image
