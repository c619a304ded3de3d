// No shell: the program, the node's name, and an environment of our own making.
#include "daemons/nodeup/hook_runner.hpp"

#include "os/limited_run.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

using cluster::StepResult;
using cluster::StepStatus;

/// Nodes whose hooks run at the same time: a storm of boots must not take the manager.
constexpr size_t kWorkers = 4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hook(std::string_view name) {
  return name.size() > 2 && is_digit(name[0]) && is_digit(name[1]) &&
         name.find_first_of(".~#") == std::string_view::npos;
}

/// Ok for what only its owner may write, who is root or us.
Status check_owner(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    return tl::unexpected(errno_error("look at " + path, errno));
  const bool ours = status.st_uid == 0 || status.st_uid == ::geteuid();
  if (ours && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return fail(Code::denied, fmt::format("{} may be written by others than its owner", path),
              "chown root:root and chmod go-w");
}

uint64_t milliseconds(Duration took) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}

StepResult run_one(const std::string& folder, const std::string& name, const HookFacts& facts,
                   Duration timeout, const std::atomic<bool>& cancel) {
  StepResult out;
  out.name = name;
  out.status = StepStatus::failed;
  const std::string path = fmt::format("{}/{}", folder, name);
  Status safe = check_owner(folder);
  if (safe) safe = check_owner(path);
  os::LimitedRun run;
  run.words = {path, facts.node};
  run.environment = {"DROVER_NODE=" + facts.node,       "DROVER_STATE=node_up",
                     "DROVER_BOOT_ID=" + facts.boot_id, "DROVER_ADDRESS=" + facts.address,
                     "DROVER_CLUSTER=" + facts.cluster, "LANG=C.UTF-8"};
  run.limit = timeout;
  run.tail = cluster::kStepOutput;
  run.cancel = &cancel;
  const auto end = safe ? os::run_limited(std::move(run)) : tl::unexpected<Error>(safe.error());
  if (!end) {
    out.why = end.error().text();
  } else if (end->timed_out) {
    out.status = StepStatus::timed_out;
    out.why = fmt::format("it took longer than {} s",
                          std::chrono::duration_cast<std::chrono::seconds>(timeout).count());
  } else if (end->status != 0) {
    out.why = fmt::format("it ended with status {}", end->status);
  } else {
    out.status = StepStatus::ok;
  }
  if (end) {
    out.output = end->output;
    out.ms = milliseconds(end->took);
  }
  tidy(out);
  return out;
}

}  // namespace

struct HookRunner::Job {
  HookFacts facts;
  Callback<void(std::vector<StepResult>)> done;
  std::vector<StepResult> results;
};

HookRunner::HookRunner(Executor& executor, const Log& log, std::string folder, Duration timeout)
    : executor_(executor), log_(log.with("hooks")), folder_(std::move(folder)), timeout_(timeout) {}

HookRunner::~HookRunner() {
  cancel_ = true;
}

std::vector<std::string> HookRunner::names() const {
  std::vector<std::string> out;
  if (folder_.empty()) return out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename();
    if (is_hook(name) && ::access(entry.path().c_str(), X_OK) == 0 && !entry.is_directory(error)) {
      out.push_back(name);
    }
  }
  std::ranges::sort(out);
  return out;
}

void HookRunner::run(HookFacts facts, Callback<void(std::vector<StepResult>)> done) {
  waiting_.push_back(std::make_unique<Job>(Job{std::move(facts), std::move(done), {}}));
  if (idle_.empty() && workers_.size() < kWorkers) {
    idle_.push_back(workers_.size());
    workers_.push_back(executor_.make_worker(fmt::format("hooks{}", workers_.size())));
  }
  start_next();
}

void HookRunner::start_next() {
  if (waiting_.empty() || idle_.empty()) return;
  const size_t worker = idle_.back();
  idle_.pop_back();
  const std::shared_ptr<Job> job = std::move(waiting_.front());
  waiting_.pop_front();
  workers_[worker]->run(
      [this, job] {
        bool good = true;
        for (const std::string& name : names()) {
          if (good) {
            job->results.push_back(run_one(folder_, name, job->facts, timeout_, cancel_));
            good = job->results.back().status == StepStatus::ok;
          } else {
            StepResult& skipped = job->results.emplace_back();
            skipped.name = name;
            skipped.status = StepStatus::skipped;
          }
        }
      },
      [this, alive = std::weak_ptr<bool>(alive_), job, worker] {
        if (alive.expired()) return;
        idle_.push_back(worker);
        start_next();
        job->done(std::move(job->results));
      });
}

}  // namespace drover::daemons
