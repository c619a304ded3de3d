#include "os/command.hpp"

#include "os/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace drover::os {
namespace {

// A program that was just written may be open for writing still in another process, which was
// forked meanwhile and has not come to its own exec: so long it is waited for.
constexpr int kBusyTries = 20;
constexpr int kBusyMs = 10;
// Time between two looks at a quiet program, for its progress.
constexpr int kLookMs = 100;
// Part of standard error that goes into a message, in bytes.
constexpr size_t kToldError = 2000;

struct Pipe {
  UniqueFd read;
  UniqueFd write;

  static Result<Pipe> make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(errno_error("pipe", errno));
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }
};

/// What posix_spawn does in the child.
class Actions {
 public:
  Actions() { posix_spawn_file_actions_init(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// Pointers to texts, with the null that ends them.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool replaced = std::ranges::any_of(more, [&](const std::string& other) {
      return std::string_view(other).substr(0, other.find('=')) == name;
    });
    if (!replaced) out.emplace_back(text);
  }
  std::ranges::copy_if(more, std::back_inserter(out), [](const std::string& entry) {
    return entry.find('=') != std::string::npos;
  });
  return out;
}

/// Appends what has come, keeping the end alone. False at the end of the stream.
bool drain(const UniqueFd& fd, std::string& into, Callback<void(std::string_view)>* each) {
  std::array<char, 16384> buffer{};
  const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count == 0) return false;
  const std::string_view piece(buffer.data(), static_cast<size_t>(count));
  if (each != nullptr && *each) (*each)(piece);
  into.append(piece);
  if (into.size() > 2 * kCommandOutput) into.erase(0, into.size() - kCommandOutput);
  return true;
}

void read_output(UniqueFd out, UniqueFd err, CommandOutput& into, CommandLine& command) {
  Callback<void()>& progress = command.progress;
  while (out || err) {
    std::array<pollfd, 2> watched{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), progress ? kLookMs : -1);
    if (ready < 0 && errno != EINTR) break;
    if (ready > 0 && watched[0].revents != 0 && !drain(out, into.out, &command.on_output))
      out.reset();
    if (ready > 0 && watched[1].revents != 0 && !drain(err, into.err, &command.on_error))
      err.reset();
    if (progress) progress();
  }
}

std::string end_of(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kToldError) text.remove_prefix(text.size() - kToldError);
  return std::string(text);
}

Status outcome(const std::string& program, int status, const CommandOutput& output) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string said = end_of(output.err.empty() ? output.out : output.err);
  if (WIFSIGNALED(status)) {
    return fail(Code::cancelled,
                fmt::format("{} was ended by signal {}: {}", program, WTERMSIG(status), said));
  }
  return fail(Code::io,
              fmt::format("{} failed with status {}: {}", program, WEXITSTATUS(status), said));
}

}  // namespace

namespace {

/// A child of ours; not_found when there is no such program.
Result<pid_t> spawn(const CommandLine& command, Actions& actions,
                    const posix_spawnattr_t* attributes) {
  std::vector<std::string> words{command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = environment_with(command.environment);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(environment);
  pid_t child = 0;
  int error = ETXTBSY;
  for (int tries = 0; tries < kBusyTries && error == ETXTBSY; ++tries) {
    if (tries > 0) ::poll(nullptr, 0, kBusyMs);
    error = ::posix_spawnp(&child, command.program.c_str(), actions.get(), attributes, argv.data(),
                           envp.data());
  }
  if (error == ENOENT) {
    return fail(Code::not_found, fmt::format("the program {} is not installed", command.program));
  }
  if (error != 0) return tl::unexpected(errno_error("run " + command.program, error));
  return child;
}

/// A pair of connected sockets; ours does not block.
struct Talk {
  UniqueFd ours;
  UniqueFd theirs;

  static Result<Talk> make() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      return tl::unexpected(errno_error("socketpair", errno));
    }
    Talk talk{UniqueFd(ends[0]), UniqueFd(ends[1])};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
      return tl::unexpected(errno_error("socketpair", errno));
    }
    return talk;
  }
};

/// A session of its own and no signal blocked or ignored that we block or ignore.
class OwnSession {
 public:
  OwnSession() {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  OwnSession(const OwnSession&) = delete;
  OwnSession& operator=(const OwnSession&) = delete;
  ~OwnSession() { posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

Result<TalkingProgram> start_talking(const CommandLine& command) {
  DROVER_TRY(Talk talk, Talk::make());
  DROVER_TRY(Talk errors, Talk::make());
  Actions actions;
  posix_spawn_file_actions_adddup2(actions.get(), talk.theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(actions.get(), talk.theirs.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(actions.get(), errors.theirs.get(), STDERR_FILENO);
  const OwnSession session;
  TalkingProgram out;
  DROVER_TRY(out.pid, spawn(command, actions, session.get()));
  out.talk = std::move(talk.ours);
  out.errors = std::move(errors.ours);
  out.end = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, out.pid, 0)));
  if (out.end) return out;
  const Error why = errno_error("pidfd_open", errno);
  ::kill(out.pid, SIGKILL);
  ::waitpid(out.pid, nullptr, 0);
  return tl::unexpected(why);
}

Result<CommandOutput> run_command(CommandLine command) {
  DROVER_TRY(Pipe out, Pipe::make());
  DROVER_TRY(Pipe err, Pipe::make());
  Actions actions;
  posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(actions.get(), out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(actions.get(), err.write.get(), STDERR_FILENO);
  if (!command.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(actions.get(), command.directory.c_str());
  }
  DROVER_TRY(const pid_t child, spawn(command, actions, nullptr));
  out.write.reset();
  err.write.reset();
  CommandOutput output;
  read_output(std::move(out.read), std::move(err.read), output, command);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return tl::unexpected(errno_error("wait for " + command.program, errno));
  }
  DROVER_CHECK_OK(outcome(command.program, status, output));
  return output;
}

bool has_program(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::string_view left = path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path;
  while (!left.empty()) {
    const size_t colon = std::min(left.find(':'), left.size());
    const std::string candidate = fmt::format("{}/{}", left.substr(0, colon), name);
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    left.remove_prefix(std::min(colon + 1, left.size()));
  }
  return false;
}

}  // namespace drover::os
