// fork, and not posix_spawn: a mount or a module may hang in the kernel, and what hangs must be
// another process. Between fork and exec only calls are made that a thread may make there.
#include "os/limited_run.hpp"

#include "os/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::os {
namespace {

constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long a killed process may take to be gone before it is left to itself.
constexpr Duration kGrace = std::chrono::seconds(1);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
  static Result<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(errno_error("pipe", errno));
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Where the program is: looked up before the fork.
Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return name;
    return tl::unexpected(errno_error("run " + name, errno));
  }
  for (std::string_view left = kPath; !left.empty();) {
    const size_t colon = std::min(left.find(':'), left.size());
    std::string candidate = fmt::format("{}/{}", left.substr(0, colon), name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    left.remove_prefix(std::min(colon + 1, left.size()));
  }
  return fail(Code::not_found, fmt::format("the program {} is not installed", name));
}

/// How often a program that is busy (ETXTBSY) is tried, and milliseconds between.
constexpr int kBusyTries = 20;
constexpr int kBusyMs = 10;

/// The child's side; never returns. `error` tells an exec that failed.
[[noreturn]] void be_child(const char* program, char* const* argv, char* const* envp,
                           Callback<int()>& call, int output, int error) {
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (program == nullptr) {
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    ::_exit(call());
  }
  // A script that was just written may be open for writing still in a process that was forked
  // meanwhile and has not come to its own exec.
  int why = ETXTBSY;
  for (int tries = 0; tries < kBusyTries && why == ETXTBSY; ++tries) {
    if (tries > 0) ::poll(nullptr, 0, kBusyMs);
    ::execve(program, argv, envp);
    why = errno;
  }
  (void)!::write(error, &why, sizeof why);
  ::_exit(127);
}

void append_tail(std::string& to, std::string_view piece, size_t tail) {
  to.append(piece);
  if (to.size() > 2 * tail) to.erase(0, to.size() - tail);
}

/// False at the end of the stream.
bool take_output(int fd, std::string& to, size_t tail) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count == 0) return false;
  append_tail(to, std::string_view(buffer.data(), static_cast<size_t>(count)), tail);
  return true;
}

/// The time that is left, as a descriptor that can be waited for.
class Deadline {
 public:
  static Result<Deadline> in(Duration limit) {
    UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    if (!timer) return tl::unexpected(errno_error("timerfd", errno));
    const auto nanoseconds = std::max<int64_t>(limit.count(), 1);
    constexpr int64_t kSecond = 1'000'000'000;
    const itimerspec when{{0, 0}, {nanoseconds / kSecond, nanoseconds % kSecond}};
    if (::timerfd_settime(timer.get(), 0, &when, nullptr) != 0) {
      return tl::unexpected(errno_error("timerfd", errno));
    }
    return Deadline(std::move(timer));
  }
  [[nodiscard]] int fd() const { return timer_.get(); }
  [[nodiscard]] Duration left() const {
    itimerspec now{};
    ::timerfd_gettime(timer_.get(), &now);
    return std::chrono::seconds(now.it_value.tv_sec) +
           std::chrono::nanoseconds(now.it_value.tv_nsec);
  }

 private:
  explicit Deadline(UniqueFd timer) : timer_(std::move(timer)) {}
  UniqueFd timer_;
};

/// Reads what it writes until it has ended, whoever else still holds its output. False when the
/// deadline passed before, or it is wanted no more.
bool follow(pid_t child, int output, RunEnd& out, const LimitedRun& run, const Deadline& deadline,
            int& status) {
  constexpr int kLook = 100;  // milliseconds between two looks at `cancel`
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  bool open = true;
  while (true) {
    std::array<pollfd, 3> watched{
        {{process.get(), POLLIN, 0}, {open ? output : -1, POLLIN, 0}, {deadline.fd(), POLLIN, 0}}};
    const int ready =
        ::poll(watched.data(), watched.size(), run.cancel != nullptr || !process ? kLook : -1);
    if (ready > 0 && watched[1].revents != 0) open = take_output(output, out.output, run.tail);
    if (::waitpid(child, &status, WNOHANG) == child) break;
    if (run.cancel != nullptr && run.cancel->load()) return false;
    if (ready > 0 && watched[2].revents != 0) return false;
  }
  // What it wrote before it ended is in the pipe.
  pollfd rest{output, POLLIN, 0};
  while (open && ::poll(&rest, 1, 0) > 0) open = take_output(output, out.output, run.tail);
  return true;
}

int status_of(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  constexpr int kSignal = 128;
  return WIFSIGNALED(status) ? kSignal + WTERMSIG(status) : kSignal;
}

}  // namespace

Result<RunEnd> run_limited(LimitedRun run) {
  std::string program;
  if (!run.call) {
    if (run.words.empty()) return fail(Code::invalid_argument, "there is no program to run");
    DROVER_TRY(program, find_program(run.words.front()));
  }
  const bool has_path = std::ranges::any_of(
      run.environment, [](const std::string& each) { return each.starts_with("PATH="); });
  if (!has_path) run.environment.push_back(fmt::format("PATH={}", kPath));
  const std::vector<char*> argv = pointers(run.words);
  const std::vector<char*> envp = pointers(run.environment);
  DROVER_TRY(Pipe output, Pipe::make());
  DROVER_TRY(Pipe error, Pipe::make());
  DROVER_TRY(const Deadline deadline, Deadline::in(run.limit));
  const pid_t child = ::fork();
  if (child < 0) return tl::unexpected(errno_error("fork", errno));
  if (child == 0) {
    be_child(run.call ? nullptr : program.c_str(), argv.data(), envp.data(), run.call,
             output.write.get(), error.write.get());
  }
  ::setpgid(child, child);  // whoever of the two comes first
  output.write.reset();
  error.write.reset();
  RunEnd out;
  int status = 0;
  bool ended = follow(child, output.read.get(), out, run, deadline, status);
  out.timed_out = !ended;
  out.took = run.limit - deadline.left();
  ::kill(-child, SIGKILL);
  if (!ended) {
    // What hangs in the kernel cannot be killed; init buries it when it comes out.
    run.cancel = nullptr;
    DROVER_TRY(const Deadline grace, Deadline::in(kGrace));
    ended = follow(child, output.read.get(), out, run, grace, status);
  }
  int why = 0;
  const bool exec_failed =
      !run.call && ended && ::read(error.read.get(), &why, sizeof why) == sizeof why;
  if (exec_failed) return tl::unexpected(errno_error("run " + program, why));
  if (out.output.size() > run.tail) out.output.erase(0, out.output.size() - run.tail);
  out.status = ended ? status_of(status) : 128 + SIGKILL;
  return out;
}

}  // namespace drover::os
