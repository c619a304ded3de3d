// sd_notify(3): newline-separated assignments in one datagram to a Unix socket.
#include "os/notify.hpp"

#include "os/fd.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace drover::os {
namespace {

std::string take(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text;
}

std::optional<uint64_t> number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A status line is one line; what comes from elsewhere must not add assignments.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\0') c = ' ';
  }
  return line;
}

}  // namespace

NotifyEnvironment take_notify_environment() {
  NotifyEnvironment result;
  result.socket = take("NOTIFY_SOCKET");
  const std::string pid = take("WATCHDOG_PID");
  const std::optional<uint64_t> usec = number(take("WATCHDOG_USEC"));
  const bool ours = pid.empty() || number(pid) == static_cast<uint64_t>(::getpid());
  constexpr uint64_t kDayUs = 86'400'000'000;
  if (ours && usec && *usec > 0 && *usec <= kDayUs) {
    result.watchdog = std::chrono::microseconds(*usec);
  }
  return result;
}

bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  struct stat now{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &now) != 0) return false;
  // A daemon that somebody starts from a service's shell inherits the variable, not the stream.
  return std::to_string(now.st_dev) + ":" + std::to_string(now.st_ino) == stream;
}

Status Notifier::ready(std::string_view status) const {
  return send("READY=1\nSTATUS=" + one_line(status));
}

Status Notifier::status(std::string_view status) const {
  return send("STATUS=" + one_line(status));
}

Status Notifier::stopping() const {
  return send("STOPPING=1");
}

Status Notifier::reloading(MonoTime now) const {
  const auto usec =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
}

Status Notifier::watchdog() const {
  return send("WATCHDOG=1");
}

Status Notifier::send(std::string_view text) const {
  if (!enabled()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((socket_[0] != '/' && socket_[0] != '@') || socket_.size() >= sizeof address.sun_path) {
    return fail(Code::invalid_argument, "NOTIFY_SOCKET is not a usable address: " + socket_);
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());

  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return tl::unexpected(errno_error("open the notify socket", errno));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, generic, length) < 0) {
    return tl::unexpected(errno_error("notify " + socket_, errno));
  }
  return {};
}

}  // namespace drover::os
