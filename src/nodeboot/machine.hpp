// The seam between the sequence of a boot and the machine that it happens on: what only init may
// do. Real form: nodeboot/real_machine. The tests have one that remembers what was asked.
#pragma once

#include "nodeboot/command_line.hpp"
#include "os/link_setup.hpp"

#include <map>
#include <string>
#include <vector>

namespace drover::nodeboot {

/// Every call may block for as long as the hardware takes. One thread.
class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  /// The text of /proc/cmdline.
  virtual Result<std::string> command_line() = 0;
  /// Loads the modules of all devices that are there; returns how many were new. Modules that
  /// fail are told by say() and not tried again.
  virtual size_t load_drivers() = 0;
  virtual Result<std::vector<os::LinkFacts>> links() = 0;
  /// Sets the interface up, so that it looks for its carrier.
  virtual Status set_up(const os::LinkFacts& link, const BootCommand& command) = 0;
  /// Gives it its address and routes, and the machine its name and name servers.
  virtual Status configure(const os::LinkFacts& link, const BootCommand& command) = 0;
  virtual void set_clock(int64_t unix_seconds) = 0;
  /// From now on a dying kernel sends its last messages to the command's `log`.
  virtual Status catch_panics(const os::LinkFacts& link, const BootCommand& command) = 0;
  /// Makes the squashfs in the file at `path` the machine's next root, below `at`.
  virtual Status mount_image(const std::string& path, const std::string& at) = 0;
  /// Keeps secrets where root alone reads them, one file each, in RAM: /run/drover/secrets/NAME.
  virtual Status keep_secrets(const std::map<std::string, std::string>& secrets) = 0;
  /// Writes a line where somebody may see it: the console and the kernel's log.
  virtual void say(int level, const std::string& text) = 0;
};

}  // namespace drover::nodeboot
