// Jobs run on the worker and are told on the executor, one after the other.
#include "daemons/nodeup/node_up_agent.hpp"

#include "base/describe.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

using cluster::NodeUpReport;
using cluster::RunState;
using cluster::StepResult;
using cluster::StepStatus;

constexpr size_t kLargest = size_t{1} << 20;

bool has_ended(StepStatus status) {
  return status == StepStatus::ok || status == StepStatus::failed ||
         status == StepStatus::timed_out;
}

}  // namespace

NodeUpAgent::NodeUpAgent(Executor& executor, const Log& log, Disk& disk, StepHost& host,
                         std::string state, std::string boot_id, Report report)
    : executor_(executor),
      log_(log.with("node_up")),
      disk_(disk),
      host_(host),
      path_(state.empty() ? "" : std::move(state) + "/node_up"),
      boot_id_(std::move(boot_id)),
      report_(std::move(report)),
      worker_(executor.make_worker("steps")) {}

NodeUpAgent::~NodeUpAgent() {
  host_.cancel();
}

void NodeUpAgent::serve(tree::CallRunner& calls) {
  calls.handle(std::string(cluster::kNodeUpCall), tree::Repeat::harmless,
               [this](const tree::CallRequest& request, tree::CallReply reply) {
                 take_order(request.payload, std::move(reply));
               });
  calls.handle(std::string(cluster::kOverlayCall), tree::Repeat::harmless,
               [this](const tree::CallRequest& request, tree::CallReply reply) {
                 take_files(request.payload, std::move(reply));
               });
}

std::optional<NodeUpReport> NodeUpAgent::kept() {
  if (path_.empty()) return std::nullopt;
  const auto text = disk_.read_all(path_, kLargest);
  if (!text) return std::nullopt;
  auto report = cluster::parse_node_up_report(*text);
  if (!report || report->boot_id != boot_id_) return std::nullopt;
  return *std::move(report);
}

void NodeUpAgent::take_order(std::string_view payload, tree::CallReply reply) {
  auto order = cluster::parse_node_order(payload);
  if (!order) return reply(tl::unexpected<Error>(order.error()));
  if (running_) return reply("running");
  if (!known_) {
    if (auto before = kept()) {
      now_ = *std::move(before);
      known_ = true;
    }
  }
  if (known_ && now_.attempt >= order->attempt && now_.state != RunState::running) {
    report_(now_);
    return reply("ended before");
  }
  reply("begun");
  begin(*std::move(order));
}

void NodeUpAgent::begin(cluster::NodeOrder order) {
  const bool goes_on = known_ && now_.attempt == order.attempt;
  std::vector<StepResult> before;
  if (goes_on) before = std::move(now_.steps);
  order_ = std::move(order);
  now_ = {};
  now_.boot_id = boot_id_;
  now_.attempt = order_.attempt;
  for (const cluster::Step& step : order_.steps) {
    const auto done = std::ranges::find(before, step.name, &StepResult::name);
    const bool ended = done != before.end() && done->status == StepStatus::ok;
    StepResult fresh;
    fresh.name = step.name;
    now_.steps.push_back(ended ? *done : std::move(fresh));
  }
  known_ = true;
  running_ = true;
  log_.notice("getting up", {{"steps", std::to_string(order_.steps.size())},
                             {"files", std::to_string(order_.files.size())}});
  place_files();
}

void NodeUpAgent::place_files() {
  tell();
  auto result = std::make_shared<Result<cluster::FilesResult>>(cluster::FilesResult{});
  worker_->run([this, result] { *result = host_.place(order_.files); },
               [this, alive = std::weak_ptr<bool>(alive_), result] {
                 if (alive.expired()) return;
                 if (!*result) return end(RunState::failed, "its files: " + result->error().text());
                 now_.files = **result;
                 if (now_.files.problems.empty()) return next_step();
                 end(RunState::failed, "its files: " + now_.files.problems.front());
               });
}

void NodeUpAgent::next_step() {
  size_t at = 0;
  while (at < now_.steps.size() && has_ended(now_.steps[at].status)) ++at;
  if (at == now_.steps.size()) return end(RunState::done, {});
  now_.steps[at].status = StepStatus::running;
  tell();
  auto result = std::make_shared<StepResult>();
  worker_->run([this, result, at] { *result = host_.run(order_.steps[at]); },
               [this, alive = std::weak_ptr<bool>(alive_), result, at] {
                 if (alive.expired()) return;
                 StepResult& step = now_.steps[at];
                 step = *result;
                 step.name = order_.steps[at].name;
                 if (step.status == StepStatus::ok) return next_step();
                 log_.warning("a step failed", {{"step", step.name}, {"why", step.why}});
                 if (order_.steps[at].on_failure == cluster::OnFailure::go_on) return next_step();
                 for (size_t i = at + 1; i < now_.steps.size(); ++i) {
                   now_.steps[i].status = StepStatus::skipped;
                 }
                 end(RunState::failed, fmt::format("step {} of {}, {}: {}", at + 1,
                                                   now_.steps.size(), step.name, step.why));
               });
}

void NodeUpAgent::end(RunState state, std::string why) {
  now_.state = state;
  now_.why = std::move(why);
  running_ = false;
  log_.notice(state == RunState::done ? "all steps are done" : "not up", {{"why", now_.why}});
  tell();
}

void NodeUpAgent::tell() {
  now_.at = executor_.wall();
  if (!path_.empty()) {
    if (const Status saved = disk_.write_atomic(path_, encode(now_), 0600); !saved) {
      log_.error("the run's state cannot be kept", {{"why", saved.error().text()}});
    }
  }
  report_(now_);
}

void NodeUpAgent::take_files(std::string_view payload, tree::CallReply reply) {
  auto order = cluster::parse_node_order(payload);
  if (!order) return reply(tl::unexpected<Error>(order.error()));
  auto files = std::make_shared<std::vector<cluster::OrderedFile>>(std::move(order->files));
  auto result = std::make_shared<Result<cluster::FilesResult>>(cluster::FilesResult{});
  auto held = std::make_shared<tree::CallReply>(std::move(reply));
  worker_->run([this, files, result] { *result = host_.place(*files); },
               [result, held] {
                 if (!*result) return (*held)(tl::unexpected<Error>(result->error()));
                 (*held)(encode(**result));
               });
}

}  // namespace drover::daemons
