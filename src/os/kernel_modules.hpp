// What depmod wrote of a kernel's modules, read as values: which module drives a device, and what
// must be loaded before it. Pure: the texts are handed in.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::os {

/// The texts of the files below /lib/modules/VERSION (depmod(8), modules.dep(5)); any may be empty.
struct ModuleTexts {
  std::string_view dep;      ///< modules.dep: "kernel/a.ko: kernel/b.ko"
  std::string_view alias;    ///< modules.alias: "alias pci:v00001AF4d* virtio_pci"
  std::string_view builtin;  ///< modules.builtin: what the kernel holds itself
  std::string_view softdep;  ///< modules.softdep: "softdep libcrc32c pre: crc32c"
};

/// Immutable once made; any thread may read it.
class ModuleIndex {
 public:
  struct Module {
    std::string name;                ///< as in /proc/modules: with "_", without folder and ending
    std::string path;                ///< below /lib/modules/VERSION
    std::vector<std::string> needs;  ///< paths of what must be loaded before, from modules.dep
    std::vector<std::string> wants;  ///< names or aliases that should be there before (softdep pre)
  };
  struct Alias {
    std::string pattern;  ///< shell pattern of fnmatch(3)
    std::string module;   ///< name
  };

  /// Lines that make no sense are left out: a kernel's modules are used as far as they are known.
  static ModuleIndex parse(const ModuleTexts& texts);

  /// The module of that name ("-" and "_" are the same); null when there is none.
  [[nodiscard]] const Module* find(std::string_view name) const;
  /// Whether the kernel holds it without a module.
  [[nodiscard]] bool is_builtin(std::string_view name) const;
  /// Names of the modules whose aliases match what a device says of itself (the text of
  /// /sys/devices/**/modalias), in the order of the file, each once.
  [[nodiscard]] std::vector<std::string> for_device(std::string_view modalias) const;
  /// Paths in the order in which they must be loaded, `name` last; empty for what is built in.
  /// not_found for an unknown name. What depends on itself is loaded all the same, once.
  [[nodiscard]] Result<std::vector<std::string>> load_order(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Module, std::less<>>& modules() const {
    return modules_;
  }
  [[nodiscard]] const std::vector<Alias>& aliases() const { return aliases_; }

 private:
  struct Walk;
  void visit(const Module& module, Walk& walk, int depth) const;

  std::map<std::string, Module, std::less<>> modules_;
  std::vector<Alias> aliases_;
  std::vector<std::string> builtin_;  ///< sorted names
};

/// "virtio_net" of "kernel/drivers/net/virtio-net.ko.xz".
std::string module_name(std::string_view path);
/// fnmatch(3) without flags: "*", "?" and "[sets]". Time grows with pattern times text, never more.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace drover::os
