// HostRoot: where the host's facts are read from: "/" in the product, a recorded tree in tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::os {

/// Reads small files of /proc, /sys and /etc below one prefix. What is missing or unreadable is a
/// gap (nullopt, empty), never an error: a fact that cannot be read is a fact that is not known.
/// Paths are absolute and below the prefix. Stateless; any thread.
class HostRoot {
 public:
  explicit HostRoot(std::string prefix = "/");

  /// Whether this is the running machine, so that system calls and hwloc speak about it too.
  [[nodiscard]] bool is_real() const { return prefix_.empty(); }
  [[nodiscard]] std::string full_path(const std::string& path) const { return prefix_ + path; }

  /// At most the first `limit` bytes, as they are.
  [[nodiscard]] std::optional<std::string> read(const std::string& path,
                                                size_t limit = size_t{64} * 1024) const;
  /// The file's text through clean(); "" when missing.
  [[nodiscard]] std::string text(const std::string& path) const;
  [[nodiscard]] std::optional<uint64_t> number(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  /// Names in a folder, sorted.
  [[nodiscard]] std::vector<std::string> list(const std::string& dir) const;
  /// Last component of what a symbolic link points to, e.g. the driver behind "device/driver".
  [[nodiscard]] std::string link_name(const std::string& path) const;
  /// `path` with every link resolved, below the prefix; "" when it leads nowhere.
  [[nodiscard]] std::string real_path(const std::string& path) const;

 private:
  std::string prefix_;
};

/// The PCI function that a sysfs device sits on ("0000:3b:00.0"), however deep; "" when none.
std::string pci_address_of(const HostRoot& root, const std::string& device);

}  // namespace drover::os
