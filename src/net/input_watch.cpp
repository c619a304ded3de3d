#include "net/input_watch.hpp"

#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <unistd.h>

namespace drover::net {

Result<std::unique_ptr<InputWatch>> InputWatch::make(Loop& loop, int fd,
                                                     Callback<void(std::string_view)> on_bytes) {
  std::unique_ptr<InputWatch> out(new InputWatch(fd, std::move(on_bytes)));
  DROVER_CHECK_OK(out->watch_.start(loop, fd, EPOLLIN, *out));
  return out;
}

void InputWatch::on_fd(uint32_t events) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
  if (count > 0) return on_bytes_({buffer.data(), static_cast<size_t>(count)});
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  // A raw terminal may read nothing without having ended: it ends with a hang-up or an error.
  const bool gone = count < 0 || (events & (EPOLLHUP | EPOLLERR)) != 0 || isatty(fd_) == 0;
  if (!gone) return;
  watch_.stop();
  on_bytes_({});
}

}  // namespace drover::net
