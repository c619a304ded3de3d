#include "api/power_sight.hpp"

#include "api/power_operation.hpp"
#include "base/noderange.hpp"

#include <algorithm>
#include <utility>

namespace drover::api {

/// A run that is kept nowhere: nobody asks for it again.
class PowerSight::Passing final : public cluster::OperationRun {
 public:
  using Settled = Callback<void(const cluster::OperationGroup&)>;
  Passing(std::string what, std::string who, std::vector<std::string> nodes, Settled settled,
          Callback<void()> ended)
      : nodes_(std::move(nodes)), settled_(std::move(settled)), ended_(std::move(ended)) {
    operation_.what = std::move(what);
    operation_.who = std::move(who);
  }
  [[nodiscard]] const cluster::Operation& operation() const override { return operation_; }
  [[nodiscard]] std::vector<std::string> remaining() const override { return nodes_; }
  /// Also what never came to a visit: without a BMC, or a password for it.
  void settle(const cluster::OperationGroup& group) override { settled_(group); }
  void finish(cluster::OperationOutcome /*rest*/, const cluster::OperationError& /*why*/) override {
    if (ended_) std::exchange(ended_, nullptr)();
  }
  void on_cancel(Callback<void()> cancel) override { cancel_ = std::move(cancel); }
  void cancel() {
    if (cancel_) std::exchange(cancel_, nullptr)();
  }

 private:
  cluster::Operation operation_;
  std::vector<std::string> nodes_;
  Settled settled_;
  Callback<void()> ended_;
  Callback<void()> cancel_;
};

PowerSight::PowerSight(PowerServices services, std::string author)
    : services_(std::move(services)), author_(std::move(author)) {
  services_.sight = this;
}

PowerSight::~PowerSight() {
  *alive_ = false;
}

void PowerSight::note(const std::string& node, const Result<hardware::PowerOutcome>& outcome) {
  Known& known = known_[node];
  known.at = services_.executor.now();
  known.seen.time = services_.executor.wall();
  if (outcome) {
    known.seen.state = outcome->state;
    if (!outcome->resets.empty()) known.seen.resets = outcome->resets;
    known.seen.error.reset();
  } else {
    known.seen.state = cluster::BmcPowerState::unknown;
    known.seen.error = outcome.error();
  }
}

const PowerSight::Seen* PowerSight::find(std::string_view node) const {
  const auto found = known_.find(node);
  if (found == known_.end() || found->second.seen.time == WallTime{}) return nullptr;
  return &found->second.seen;
}

void PowerSight::look(const std::vector<std::string>& nodes, Duration fresh, Duration patience,
                      Callback<void()> done) {
  const MonoTime now = services_.executor.now();
  std::vector<std::string> old;
  for (const std::string& node : nodes) {
    Known& known = known_[node];
    const bool current = known.seen.time != WallTime{} && now - known.at < fresh;
    if (known.looking || current) continue;
    known.looking = true;
    old.push_back(node);
  }
  if (!old.empty()) begin(std::move(old));
  auto waiter = std::make_unique<Waiter>(Waiter{nodes, std::move(done)});
  waiter->patience.after(services_.executor, is_looking(*waiter) ? patience : Duration::zero(),
                         [this, one = waiter.get()] {
                           one->nodes.clear();
                           services_.executor.post([this, alive = alive_] {
                             if (*alive) looked();
                           });
                         });
  waiters_.push_back(std::move(waiter));
}

void PowerSight::begin(std::vector<std::string> nodes) {
  // Nodes that are gone are forgotten here, where it costs a look anyway.
  std::erase_if(known_, [&](const auto& one) {
    return !one.second.looking && services_.model.find(one.first) == nullptr;
  });
  const auto run = std::make_shared<Passing>(
      "power status", author_, nodes,
      [this, alive = alive_](const cluster::OperationGroup& group) {
        if (*alive && group.error) {
          note(group.nodes, fail(Code::unreachable, group.error->message));
        }
      },
      [this, alive = alive_, nodes] {
        services_.executor.post([this, alive, nodes] {
          if (!*alive) return;
          for (const std::string& node : nodes) known_[node].looking = false;
          looked();
        });
      });
  cluster::PowerOrder order;  // of status, which is the default
  order.request.at_a_time = 500;
  start(run, power_work(services_, run, order));
}

void PowerSight::start(const std::shared_ptr<Passing>& run, BmcWork work) {
  const uint64_t number = next_run_++;
  const auto started =
      std::make_shared<BmcRun>(services_, run, std::move(work), [this, alive = alive_, number] {
        if (*alive) runs_.erase(number);
      });
  runs_[number] = started;
  started->start();
}

void PowerSight::ask(const std::vector<std::string>& nodes, BmcWork work, Duration patience,
                     Callback<void(Answers)> done) {
  struct Asked {
    Answers answers;
    Callback<void(Answers)> done;
    Timer patience = {};
  };
  const auto asked = std::make_shared<Asked>(Asked{{}, std::move(done)});
  const auto run = std::make_shared<Passing>(
      "a question", author_, nodes,
      [asked](const cluster::OperationGroup& group) {
        asked->answers[group.nodes] = {group.result, group.error};
      },
      [&executor = services_.executor, asked, nodes] {
        asked->patience.cancel();
        executor.post([asked, nodes] {
          for (const std::string& node : nodes) {
            Answer late{{},
                        cluster::OperationError{std::string(info(Code::timed_out).name),
                                                "its BMC has not answered in time"}};
            asked->answers.try_emplace(node, std::move(late));
          }
          std::exchange(asked->done, nullptr)(std::move(asked->answers));
        });
      });
  asked->patience.after(services_.executor, patience, [weak = std::weak_ptr(run)] {
    if (const auto late = weak.lock()) late->cancel();
  });
  start(run, std::move(work));
}

bool PowerSight::is_looking(const Waiter& waiter) const {
  return std::ranges::any_of(waiter.nodes, [&](const std::string& node) {
    const auto known = known_.find(node);
    return known != known_.end() && known->second.looking;
  });
}

/// Tells those who wait for nothing more.
void PowerSight::looked() {
  std::vector<Callback<void()>> told;
  std::erase_if(waiters_, [&](const std::unique_ptr<Waiter>& waiter) {
    if (is_looking(*waiter)) return false;
    told.push_back(std::move(waiter->done));
    return true;
  });
  for (auto& done : told) done();
}

}  // namespace drover::api
