// The Machine seam on a real one: mounts, modules, interfaces, by system calls alone.
#pragma once

#include "nodeboot/machine.hpp"
#include "os/kernel_modules.hpp"

#include <optional>
#include <set>
#include <string>

namespace drover::nodeboot {

/// Mounts /proc, /sys, /dev, /run and /tmp where they are not yet, opens the ring of kernel
/// messages to programs, and ties the standard streams to the console. Once, by PID 1, before
/// anything else.
Status mount_basics();

/// The kernel command line's device ids, modules and interfaces of this machine.
class RealMachine final : public Machine {
 public:
  RealMachine();

  Result<std::string> command_line() override;
  size_t load_drivers() override;
  Result<std::vector<os::LinkFacts>> links() override;
  Status set_up(const os::LinkFacts& link, const BootCommand& command) override;
  Status configure(const os::LinkFacts& link, const BootCommand& command) override;
  void set_clock(int64_t unix_seconds) override;
  Status catch_panics(const os::LinkFacts& link, const BootCommand& command) override;
  Status mount_image(const std::string& path, const std::string& at) override;
  Status keep_secrets(const std::map<std::string, std::string>& secrets) override;
  void say(int level, const std::string& text) override;
  /// A module that no device asks for, such as a file system.
  void load_module(std::string_view name) { load(name); }

 private:
  /// Loads a module and what it needs; false when it was there or could not be.
  bool load(std::string_view name, const std::string& options = {});
  Status insert(const std::string& path, const std::string& options);

  std::string folder_;  ///< /lib/modules/VERSION
  os::ModuleIndex index_;
  std::set<std::string> tried_;  ///< names
};

}  // namespace drover::nodeboot
