// SignalWatch over signalfd.
#include "net/signal_watch.hpp"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/signalfd.h>

namespace drover::net {

Result<std::unique_ptr<SignalWatch>> SignalWatch::make(Loop& loop,
                                                       std::initializer_list<int> signals,
                                                       Callback<void(int)> on_signal) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, &before);
  // From here on its destructor restores the mask.
  std::unique_ptr<SignalWatch> watch(new SignalWatch(std::move(on_signal), before));
  watch->fd_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!watch->fd_.valid()) return tl::unexpected(errno_error("watching signals", errno));
  DROVER_CHECK_OK(watch->watch_.start(loop, watch->fd_.get(), EPOLLIN, *watch));
  return watch;
}

SignalWatch::SignalWatch(Callback<void(int)> on_signal, const sigset_t& before)
    : on_signal_(std::move(on_signal)), before_(before) {}

SignalWatch::~SignalWatch() {
  watch_.stop();
  fd_.reset();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::on_fd(uint32_t /*events*/) {
  signalfd_siginfo info{};
  // One per event: the descriptor stays readable while more wait.
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return;
  on_signal_(static_cast<int>(info.ssi_signo));
}

}  // namespace drover::net
