// Boot id from /proc, host name from the kernel.
#include "os/boot_id.hpp"

#include "os/real_disk.hpp"

#include <array>

#include <unistd.h>

namespace drover::os {

Result<std::string> read_boot_id() {
  constexpr size_t kLength = 36;
  const std::string path = "/proc/sys/kernel/random/boot_id";
  RealDisk disk;
  DROVER_TRY(const auto file, disk.open(path, false, 0));
  std::array<char, 64> buffer{};
  DROVER_TRY(const size_t got, file->read(0, buffer));
  std::string id(buffer.data(), got);
  while (!id.empty() && id.back() == '\n') id.pop_back();
  if (id.size() != kLength || id.find_first_not_of("0123456789abcdef-") != std::string::npos) {
    return fail(Code::corrupt, path + " holds no boot id");
  }
  return id;
}

std::string host_name() {
  std::array<char, 256> buffer{};
  // One byte is kept back: POSIX leaves open whether a truncated name is terminated.
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0 || buffer[0] == '\0') {
    return "localhost";
  }
  return buffer.data();
}

}  // namespace drover::os
