#include "hardware/console/program_line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

constexpr char kEscape = '~';
/// What is kept of words of a program, in bytes.
constexpr size_t kWords = 4096;

/// One of the program's two outputs.
class Ear final : public net::StreamHandler {
 public:
  Ear(Callback<void(std::string_view)> heard, Callback<void()> ended)
      : parts_(std::make_shared<Parts>(Parts{std::move(heard), std::move(ended)})) {}
  // The owner may go in either: what is called is held meanwhile.
  void on_data(std::string_view bytes) override {
    const auto parts = parts_;
    parts->heard(bytes);
  }
  void on_closed(const Error&) override {
    const auto parts = parts_;
    parts->ended();
  }

 private:
  struct Parts {
    Callback<void(std::string_view)> heard;
    Callback<void()> ended;
  };
  std::shared_ptr<Parts> parts_;
};

class ProgramLine final : public ConsoleLine {
 public:
  ProgramLine(Executor& executor, ConsolePrograms& programs, ProgramPlan plan,
              ConsoleLineEvents events)
      : executor_(executor),
        plan_(std::move(plan)),
        events_(std::make_shared<ConsoleLineEvents>(std::move(events))),
        output_([this](std::string_view bytes) { on_output(bytes); }, [this] { ended(); }),
        errors_([this](std::string_view bytes) { on_errors(bytes); }, [this] { all_said(); }) {
    auto started = programs.start(plan_.command);
    if (!started) {
      timer_.after(executor_, {}, [this, why = started.error()] { tell_closed(why); });
      return;
    }
    program_ = *std::move(started);
    program_->talk().set_handler(&output_);
    program_->errors().set_handler(&errors_);
    timer_.after(executor_, plan_.limit, [this] {
      tell_closed({Code::timed_out,
                   fmt::format("{}: the console was not open in time", plan_.way.to),
                   {},
                   {}});
    });
  }

  void write(std::string_view bytes) override { program_->talk().write(guard_.guard(bytes)); }
  [[nodiscard]] size_t unsent() const override { return program_->talk().unsent(); }
  Status send_break() override {
    if (!guard_.at_line_start()) {
      return fail(
          Code::conflict,
          fmt::format("{} sends a break only at the beginning of a line", plan_.command.program),
          "press Enter first");
    }
    program_->talk().write(std::string{kEscape, 'B'});
    return {};
  }
  void pause(bool paused) override { program_->talk().pause_reading(paused); }

 private:
  void on_output(std::string_view bytes) {
    if (open_) return tell_bytes(bytes);
    note(bytes);
    if (!plan_.opens_on_output) {
      // What a BMC greets with before the session is there is the console's too.
      before_ += bytes.substr(0, kWords - std::min(kWords, before_.size()));
      return;
    }
    const size_t at = words_.find(plan_.open_words);
    const size_t end = at == std::string::npos ? at : words_.find('\n', at);
    if (end == std::string::npos) return;
    before_ = words_.substr(end + 1);
    words_.clear();
    tell_open();
  }
  void on_errors(std::string_view bytes) {
    note(bytes);
    const bool opens =
        !open_ && !plan_.opens_on_output && words_.find(plan_.open_words) != std::string::npos;
    if (!opens) return;
    words_.clear();
    tell_open();
  }
  /// Its last words may come a moment after its end.
  void ended() {
    output_ended_ = true;
    if (errors_ended_) return tell_closed(last_words());
    constexpr Duration kSoon = std::chrono::seconds(1);
    timer_.after(executor_, kSoon, [this] { tell_closed(last_words()); });
  }
  void all_said() {
    errors_ended_ = true;
    if (output_ended_) tell_closed(last_words());
  }
  Error last_words() { return plan_.explain(words_); }

  void note(std::string_view bytes) {
    words_ += bytes;
    if (words_.size() > 2 * kWords) words_.erase(0, words_.size() - kWords);
  }

  // The line may be gone after each of these.
  void tell_open() {
    open_ = true;
    timer_.cancel();
    const auto events = events_;
    const std::weak_ptr<bool> alive = alive_;
    events->on_open(plan_.way);
    if (alive.expired() || before_.empty()) return;
    const std::string before = std::exchange(before_, {});
    events->on_bytes(before);
  }
  void tell_bytes(std::string_view bytes) {
    const auto events = events_;
    events->on_bytes(bytes);
  }
  void tell_closed(const Error& why) {
    if (std::exchange(closed_, true)) return;
    timer_.cancel();
    const auto events = events_;
    const Error told = why;
    events->on_closed(told);
  }

  Executor& executor_;
  ProgramPlan plan_;
  std::shared_ptr<ConsoleLineEvents> events_;
  Ear output_;
  Ear errors_;
  std::unique_ptr<ConsoleProgram> program_;
  EscapeGuard guard_;
  Timer timer_;
  std::string words_;   ///< the last of what it said to whoever runs it
  std::string before_;  ///< of the console, while it is not open yet
  bool open_ = false;
  bool closed_ = false;
  bool output_ended_ = false;
  bool errors_ended_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

bool says(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

/// The last line that is not empty.
std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return printable(text.substr(text.find_last_of("\r\n") + 1));
}

}  // namespace

std::unique_ptr<ConsoleLine> run_console_program(Executor& executor, ConsolePrograms& programs,
                                                 ProgramPlan plan, ConsoleLineEvents events) {
  return std::make_unique<ProgramLine>(executor, programs, std::move(plan), std::move(events));
}

std::string EscapeGuard::guard(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 1);
  for (const char c : bytes) {
    if (at_start_ && c == kEscape) out += kEscape;
    out += c;
    at_start_ = c == '\r' || c == '\n';
  }
  return out;
}

ProgramPlan sol_plan(const IpmiAccess& access, int cipher) {
  ProgramPlan plan;
  plan.way = {"ipmi", fmt::format("{}:{}", access.host, access.port)};
  // Unbuffered, as its output is no terminal; verbose, as without it a refused password and a dead
  // host sound the same.
  plan.command.program = "stdbuf";
  plan.command.arguments = {"-o0",
                            "ipmitool",
                            "-v",
                            "-I",
                            "lanplus",
                            "-H",
                            access.host,
                            "-p",
                            std::to_string(access.port),
                            "-U",
                            access.user,
                            "-E",
                            "-C",
                            std::to_string(cipher),
                            "-N",
                            "2",
                            "-R",
                            "2",
                            "-e",
                            std::string(1, kEscape),
                            "sol",
                            "activate"};
  plan.command.environment = {"IPMITOOL_PASSWORD=" + access.password, "LC_ALL=C"};
  plan.open_words = "[SOL Session operational.";
  plan.opens_on_output = true;
  plan.explain = [access](std::string_view words) { return sol_error(access, words); };
  return plan;
}

Error sol_error(const IpmiAccess& access, std::string_view words) {
  const auto error = [&](Code code, const std::string& text, std::string next = "") {
    return Error{code, fmt::format("{}: {}", access.host, text), {}, std::move(next)};
  };
  // The words of ipmitool 1.8.19, lib/ipmi_sol.c.
  if (says(words, "payload already active on another session")) {
    return error(Code::conflict, "somebody else has the console in a SOL session",
                 fmt::format("ipmitool -I lanplus -H {} -U {} -a sol deactivate   ends that one",
                             access.host, printable(access.user)));
  }
  if (says(words, "payload disabled") || says(words, "Payload type is disabled") ||
      says(words, "SOL payload instance limit reached")) {
    return error(Code::conflict, last_line(words),
                 fmt::format("ipmitool -I lanplus -H {} -U {} -a sol set enabled true", access.host,
                             printable(access.user)));
  }
  if (says(words, "No response to keepalive") || says(words, "SOL session closed by BMC")) {
    return error(Code::unreachable, "the BMC has ended the session or fell silent");
  }
  if (says(words, "ipmitool: No such file") || says(words, "failed to run command")) {
    return error(Code::not_found, "there is no ipmitool on this manager, and the BMC speaks IPMI",
                 "apt install ipmitool");
  }
  return ipmi_error(access, words);
}

ProgramPlan ssh_plan(const SshAccess& access) {
  ProgramPlan plan;
  plan.way = {"ssh", fmt::format("{}:{}", access.host, access.port)};
  plan.command.program = "ssh";
  // Options of ssh_config(5). Algorithms of before 2014 are all that many BMCs know.
  const std::array<std::string, 15> options{
      "StrictHostKeyChecking=accept-new",
      "UserKnownHostsFile=" + access.known_hosts,
      "GlobalKnownHostsFile=/dev/null",
      "PreferredAuthentications=password,keyboard-interactive",
      "PubkeyAuthentication=no",
      "NumberOfPasswordPrompts=1",
      "ConnectTimeout=10",
      "ServerAliveInterval=15",
      "ServerAliveCountMax=3",
      "ClearAllForwardings=yes",
      "ControlMaster=no",
      "LogLevel=VERBOSE",
      "EscapeChar=~",
      "HostKeyAlgorithms=+ssh-rsa",
      "KexAlgorithms=+diffie-hellman-group14-sha1"};
  plan.command.arguments = {"-F", "/dev/null", "-tt"};
  for (const std::string& option : options) {
    plan.command.arguments.insert(plan.command.arguments.end(), {"-o", option});
  }
  plan.command.arguments.insert(
      plan.command.arguments.end(),
      {"-l", access.user, "-p", std::to_string(access.port), "--", access.host});
  if (!access.command.empty()) plan.command.arguments.push_back(access.command);
  plan.command.environment = {"SSH_ASKPASS=" + access.askpass,
                              "SSH_ASKPASS_REQUIRE=force",
                              "DROVER_CONSOLE_PASSWORD=" + access.password,
                              "SSH_AUTH_SOCK",
                              "DISPLAY",
                              "LC_ALL=C",
                              "TERM=vt100"};
  plan.open_words = "Authenticated to ";
  plan.explain = [access](std::string_view words) { return ssh_error(access, words); };
  return plan;
}

Error ssh_error(const SshAccess& access, std::string_view words) {
  const auto error = [&](Code code, const std::string& text, std::string next = "") {
    return Error{
        code, fmt::format("{}:{}: {}", access.host, access.port, text), {}, std::move(next)};
  };
  // The words of OpenSSH 9.2.
  if (says(words, "Permission denied") || says(words, "Too many authentication failures")) {
    return error(Code::unauthenticated, fmt::format("the BMC refused the user '{}' or its password",
                                                    printable(access.user)));
  }
  if (says(words, "HOST IDENTIFICATION HAS CHANGED") ||
      says(words, "Host key verification failed")) {
    return error(Code::conflict, "the BMC shows another SSH key than before",
                 fmt::format("if it was replaced: ssh-keygen -f {} -R '[{}]:{}'",
                             access.known_hosts, access.host, access.port));
  }
  for (const char* dead : {"Connection refused", "timed out", "No route to host", "closed by",
                           "Could not resolve", "not responding", "Connection reset"}) {
    if (says(words, dead)) return error(Code::unreachable, last_line(words));
  }
  const std::string line = last_line(words);
  return error(Code::unreachable, line.empty() ? "the BMC ended the session" : line);
}

}  // namespace drover::hardware
