// Every child is waited for when its pidfd says that it has ended, whoever still talks to it.
#include "hardware/console/console_programs.hpp"

#include "net/adopt.hpp"
#include "net/readable_watch.hpp"

#include <csignal>
#include <utility>

#include <sys/wait.h>

namespace drover::hardware {
namespace {

/// ipmitool tells its BMC that it goes, which takes some packets.
constexpr Duration kGrace = std::chrono::seconds(10);

}  // namespace

struct RealConsolePrograms::Child {
  int pid = 0;
  os::UniqueFd end;
  std::unique_ptr<net::ReadableWatch> watch;
  Timer impatience;
  bool ended = false;
  bool left = false;  ///< nobody talks to it any more
};

class RealConsolePrograms::Program final : public ConsoleProgram {
 public:
  Program(RealConsolePrograms& owner, std::list<std::unique_ptr<Child>>::iterator child,
          std::unique_ptr<net::Stream> talk, std::unique_ptr<net::Stream> errors)
      : owner_(owner), child_(child), talk_(std::move(talk)), errors_(std::move(errors)) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() override {
    talk_.reset();
    errors_.reset();
    owner_.let_go(child_);
  }
  net::Stream& talk() override { return *talk_; }
  net::Stream& errors() override { return *errors_; }

 private:
  RealConsolePrograms& owner_;
  std::list<std::unique_ptr<Child>>::iterator child_;
  std::unique_ptr<net::Stream> talk_;
  std::unique_ptr<net::Stream> errors_;
};

RealConsolePrograms::RealConsolePrograms(net::Loop& loop) : loop_(loop), net_(loop) {}

// The programs end by themselves: their input is closed.
RealConsolePrograms::~RealConsolePrograms() = default;

Result<std::unique_ptr<ConsoleProgram>> RealConsolePrograms::start(const os::CommandLine& command) {
  DROVER_TRY(os::TalkingProgram started, os::start_talking(command));
  const auto place = children_.insert(children_.end(), std::make_unique<Child>());
  Child& child = **place;
  child.pid = started.pid;
  child.end = std::move(started.end);
  auto watch = net::ReadableWatch::make(loop_, child.end.get(), [this, place] {
    Child& one = **place;
    ::waitpid(one.pid, nullptr, 0);
    one.ended = true;
    one.impatience.cancel();
    one.watch->pause(true);
    if (one.left) loop_.post([this, place] { children_.erase(place); });
  });
  if (watch) child.watch = *std::move(watch);
  auto program = std::make_unique<Program>(
      *this, place, net::adopt_socket(net_, net::UniqueFd(started.talk.release())),
      net::adopt_socket(net_, net::UniqueFd(started.errors.release())));
  if (child.watch == nullptr) return tl::unexpected<Error>(watch.error());
  return std::unique_ptr<ConsoleProgram>(std::move(program));
}

void RealConsolePrograms::let_go(std::list<std::unique_ptr<Child>>::iterator place) {
  Child& child = **place;
  child.left = true;
  if (child.ended) {
    children_.erase(place);
    return;
  }
  child.impatience.after(loop_, kGrace, [pid = child.pid] { ::kill(pid, SIGKILL); });
}

}  // namespace drover::hardware
