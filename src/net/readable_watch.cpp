// One watch of the loop, without a buffer.
#include "net/readable_watch.hpp"

#include <sys/epoll.h>

namespace drover::net {

Result<std::unique_ptr<ReadableWatch>> ReadableWatch::make(Loop& loop, int fd,
                                                           Callback<void()> readable) {
  std::unique_ptr<ReadableWatch> out(new ReadableWatch(std::move(readable)));
  DROVER_CHECK_OK(out->watch_.start(loop, fd, EPOLLIN, *out));
  return out;
}

void ReadableWatch::pause(bool paused) {
  watch_.change(paused ? 0U : unsigned{EPOLLIN});
}

void ReadableWatch::on_fd(uint32_t) {
  readable_();
}

}  // namespace drover::net
