// The password goes by the environment, which other users cannot read, and never by the words.
#include "hardware/ipmi/ipmi_tool.hpp"

#include "base/text.hpp"
#include "os/limited_run.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

/// Cipher suites 17 (SHA-256) and 3 (SHA-1), IPMI 2.0 table 22-20: the first is what BMCs of today
/// have on, the second the only one that those of before 2015 know. Both sign and encrypt.
constexpr int kModernCipher = 17;
constexpr int kOldCipher = 3;

/// How often ipmitool repeats a packet, and seconds between.
constexpr const char* kRetries = "2";
constexpr const char* kRetryAfter = "2";

std::string key_of(const IpmiAccess& access) {
  return fmt::format("{}:{}", access.host, access.port);
}

bool says(std::string_view output, std::string_view words) {
  return output.find(words) != std::string_view::npos;
}

/// The last line that is not empty.
std::string last_line(std::string_view output) {
  while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) {
    output.remove_suffix(1);
  }
  const size_t at = output.rfind('\n');
  return printable(at == std::string_view::npos ? output : output.substr(at + 1));
}

Result<std::string> run_tool(const std::string& program, const IpmiAccess& access,
                             const IpmiTool::Words& words, int cipher, Duration limit) {
  // Verbose, since without it a refused password and a dead host sound the same.
  os::LimitedRun run;
  run.words = {program,
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
               kRetryAfter,
               "-R",
               kRetries};
  run.words.insert(run.words.end(), words.begin(), words.end());
  run.environment = {"IPMITOOL_PASSWORD=" + access.password, "LC_ALL=C"};
  run.limit = limit;
  run.tail = size_t{16} * 1024;
  auto end = os::run_limited(std::move(run));
  if (!end && end.error().code == Code::not_found) {
    return fail(Code::not_found,
                fmt::format("{}: there is no ipmitool on this manager, and the BMC speaks IPMI",
                            access.host),
                "apt install ipmitool");
  }
  if (!end) return fail_in(access.host, end.error());
  if (end->timed_out) {
    return fail(Code::timed_out, fmt::format("{}: ipmitool did not end in time", access.host));
  }
  if (end->status != 0) return tl::unexpected(ipmi_error(access, end->output));
  return std::move(end->output);
}

}  // namespace

bool refuses_cipher(std::string_view output) {
  constexpr std::array<std::string_view, 4> kWords{
      "invalid authentication algorithm", "invalid integrity algorithm",
      "invalid confidentiality algorithm", "no matching cipher suite"};
  return std::ranges::any_of(kWords, [&](auto words) { return says(output, words); });
}

Error ipmi_error(const IpmiAccess& access, std::string_view output) {
  const auto error = [&](Code code, const std::string& text, std::string next = "") {
    return Error{code, fmt::format("{}: {}", access.host, text), {}, std::move(next)};
  };
  // The words of ipmitool 1.8.19, lib of the lanplus interface.
  constexpr std::array<std::string_view, 4> kRefused{"RAKP 2 HMAC is invalid", "unauthorized name",
                                                     "unauthorized role or privilege",
                                                     "insufficient privilege"};
  for (const std::string_view words : kRefused) {
    if (!says(output, words)) continue;
    return error(Code::unauthenticated,
                 fmt::format("the BMC refused the user '{}' or its password ({})",
                             printable(access.user), words));
  }
  if (refuses_cipher(output)) {
    return error(Code::unsupported, "the BMC takes neither cipher suite 17 nor 3",
                 "turn one of them on in its settings");
  }
  if (says(output, "Unable to establish IPMI")) {
    return error(Code::unreachable, "no BMC answers IPMI there");
  }
  const bool unknown = says(output, "Invalid command") || says(output, "not supported");
  const std::string line = last_line(output);
  return error(unknown ? Code::unsupported : Code::io,
               line.empty() ? "ipmitool failed without a word" : line);
}

IpmiToolProcesses::IpmiToolProcesses(Executor& executor, IpmiToolOptions options)
    : executor_(executor), options_(std::move(options)) {}

IpmiToolProcesses::~IpmiToolProcesses() = default;

void IpmiToolProcesses::run(const IpmiAccess& access, Words words, Done done) {
  const auto known = ciphers_.find(key_of(access));
  auto job = std::make_shared<Job>();
  job->access = access;
  job->words = std::move(words);
  job->done = std::move(done);
  job->cipher = known == ciphers_.end() ? kModernCipher : known->second;
  waiting_.push_back(std::move(job));
  pump();
}

void IpmiToolProcesses::pump() {
  while (!waiting_.empty()) {
    auto lane = std::ranges::find_if(lanes_, [](const auto& one) { return !one->busy; });
    if (lane == lanes_.end()) {
      if (lanes_.size() >= options_.at_a_time) return;
      lanes_.push_back(std::make_unique<Lane>());
      lanes_.back()->worker = executor_.make_worker("ipmi");
      lane = std::prev(lanes_.end());
    }
    const auto job = std::move(waiting_.front());
    waiting_.pop_front();
    start(**lane, job);
  }
}

void IpmiToolProcesses::start(Lane& lane, const std::shared_ptr<Job>& job) {
  lane.busy = true;
  auto outcome = std::make_shared<Result<std::string>>();
  lane.worker->run(
      [job, outcome, program = options_.program, limit = options_.limit] {
        *outcome = run_tool(program, job->access, job->words, job->cipher, limit);
      },
      [this, &lane, job, outcome] { ended(lane, job, std::move(*outcome)); });
}

void IpmiToolProcesses::ended(Lane& lane, const std::shared_ptr<Job>& job,
                              Result<std::string> outcome) {
  lane.busy = false;
  const bool wrong_cipher = !outcome && outcome.error().code == Code::unsupported &&
                            says(outcome.error().message, "cipher suite");
  if (wrong_cipher && job->cipher == kModernCipher) {
    job->cipher = kOldCipher;
    waiting_.push_front(job);
  } else {
    if (outcome) ciphers_[key_of(job->access)] = job->cipher;
    job->done(std::move(outcome));
  }
  pump();
}

}  // namespace drover::hardware
