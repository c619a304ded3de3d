// Each read(2) of /dev/kmsg gives one record; EPIPE says that older ones were overwritten.
#include "os/kernel_log.hpp"

#include <array>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace drover::os {
namespace {

/// CONSOLE_EXT_LOG_MAX of the kernel: no record is longer.
constexpr size_t kLongestRecord = 8192;
constexpr int kDaemonFacility = 3;

template <typename Number>
bool take_number(std::string_view& text, char end, Number& out) {
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const auto used = static_cast<size_t>(next - text.data());
  if (error != std::errc{} || used >= text.size() || text[used] != end) return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

std::optional<KernelMessage> parse_kernel_message(std::string_view line) {
  KernelMessage out;
  uint32_t priority = 0;
  const size_t semicolon = line.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  // Fields may be added after the third by later kernels.
  if (!take_number(line, ',', priority) || !take_number(line, ',', out.sequence) ||
      !take_number(line, ',', out.time_us) || priority > 1023) {
    return std::nullopt;
  }
  out.level = static_cast<int>(priority % 8);
  out.facility = static_cast<int>(priority / 8);
  out.text = line.substr(line.find(';') + 1);
  return out;
}

Result<KernelLog> KernelLog::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error("open " + path, errno));
  return KernelLog(std::move(fd));
}

Result<size_t> KernelLog::read(std::string& out, size_t limit) {
  std::array<char, kLongestRecord> buffer{};
  size_t count = 0;
  const size_t began = out.size();
  while (out.size() - began < limit) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EPIPE)) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return tl::unexpected(errno_error("read the kernel's log", errno));
    if (got == 0) break;
    std::string_view record(buffer.data(), static_cast<size_t>(got));
    record = record.substr(0, record.find('\n'));
    const auto message = parse_kernel_message(record);
    if (!message || message->sequence < next_) continue;
    next_ = message->sequence + 1;
    out += record;
    out += '\n';
    ++count;
  }
  return count;
}

void write_kernel_log(int level, std::string_view text) {
  const UniqueFd fd(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  if (!fd) return;
  const std::string line = fmt::format("<{}>{}\n", kDaemonFacility * 8 + level, text);
  (void)!::write(fd.get(), line.data(), line.size());
}

}  // namespace drover::os
