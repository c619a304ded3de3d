#include "api/power_operation.hpp"

#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/hardware/power_note.hpp"
#include "hardware/ipmi/ipmi_visit.hpp"
#include "hardware/power/power_visit.hpp"
#include "hardware/power/power_waves.hpp"
#include "store/reason.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::BmcPowerState;
using cluster::OperationError;
using cluster::OperationOutcome;
using cluster::PowerAction;
using cluster::PowerState;
using RunPtr = std::shared_ptr<cluster::OperationRun>;

OperationError error_of(const Error& error) {
  std::string text = error.message;
  if (!error.next.empty()) text += fmt::format(" ({})", error.next);
  return {std::string(info(error.code).name), std::move(text)};
}

OperationOutcome outcome_of(Code code) {
  if (code == Code::unreachable) return OperationOutcome::unreached;
  if (code == Code::timed_out) return OperationOutcome::timed_out;
  return OperationOutcome::failed;
}

/// The most that check(PowerRequest) allows.
constexpr uint32_t kMostPerSecond = 1'000;

PowerState stored_state(BmcPowerState state) {
  if (state == BmcPowerState::on || state == BmcPowerState::powering_off) return PowerState::on;
  if (state == BmcPowerState::off || state == BmcPowerState::powering_on) return PowerState::off;
  return PowerState::unknown;
}

/// One operation under way here; lives until it has ended.
class PowerRun : public std::enable_shared_from_this<PowerRun> {
 public:
  /// `release` is called once when nothing is left to do.
  PowerRun(PowerServices services, RunPtr run, cluster::PowerRequest request,
           Callback<void()> release)
      : services_(std::move(services)),
        run_(std::move(run)),
        request_(std::move(request)),
        release_(std::move(release)) {}

  void start() {
    run_->on_cancel([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->cancel();
    });
    const bool only_look = request_.action == PowerAction::status;
    for (const std::string& node : run_->remaining()) {
      auto target = power_target(services_.model, node, only_look);
      if (target) {
        targets_.push_back(*std::move(target));
      } else {
        settle_failure(node, target.error());
      }
    }
    if (targets_.empty()) return finish();
    const auto keys = std::make_shared<BmcKeys>();
    services_.store.read(
        [keys, targets = targets_](store::Transaction& tx) -> Status {
          DROVER_TRY(*keys, read_bmc_keys(tx, targets));
          return {};
        },
        [self = shared_from_this(), keys](const Status& read) {
          if (!read) return self->fail_all(read.error());
          self->begin(*keys);
        });
  }

 private:
  struct Bmc {
    std::unique_ptr<hardware::BmcClient> client;
    size_t visits = 0;  ///< that are not over
    bool key_noted = false;
  };
  /// One of the two while it is under way.
  struct Visit {
    std::unique_ptr<hardware::PowerVisit> redfish;
    std::unique_ptr<hardware::IpmiVisit> ipmi;
  };

  void begin(const BmcKeys& keys) {
    if (ended_) return;
    hardware::PowerLimits limits;
    limits.at_a_time = request_.at_a_time;
    // Looking draws no current, and neither does saying what to boot from.
    const bool draws =
        request_.action != PowerAction::status && request_.action != PowerAction::boot_device;
    limits.per_second = draws ? request_.per_second : kMostPerSecond;
    limits.groups = request_.group_limits;
    waves_.emplace(limits);
    for (size_t i = 0; i < targets_.size(); ++i) {
      const PowerTarget& target = targets_[i];
      const bool redfish = target.protocol == cluster::BmcProtocol::redfish;
      const Status ready = redfish ? prepare(target, keys) : prepare_ipmi(target, keys);
      if (ready) {
        waves_->add(i, target.groups);
      } else {
        settle_failure(target.node, ready.error());
      }
    }
    visits_.resize(targets_.size());
    pump();
  }

  Status prepare(const PowerTarget& target, const BmcKeys& keys) {
    DROVER_TRY(hardware::BmcAccess access, bmc_access(services_, target, keys));
    Bmc& bmc = bmcs_[target.at.text()];
    if (!bmc.client) {
      bmc.key_noted = !access.pinned_key.empty();
      bmc.client = std::make_unique<hardware::BmcClient>(services_.bmcs, std::move(access));
    }
    ++bmc.visits;
    return {};
  }

  Status prepare_ipmi(const PowerTarget& target, const BmcKeys& keys) {
    DROVER_TRY(BmcLogin login, bmc_login(services_, target, keys));
    if (services_.ipmi == nullptr) return fail(Code::unsupported, "this master speaks no IPMI");
    if (services_.bmcs.was_refused(target.at.text(), login.user, login.password)) {
      return fail(Code::unauthenticated,
                  fmt::format("the BMC refused the password of '{}'", printable(login.user)),
                  "give the right one: drover power credential");
    }
    ipmi_[target.at.text()] = {target.address, target.at.port, std::move(login.user),
                               std::move(login.password)};
    return {};
  }

  void pump() {
    if (ended_) return;
    const MonoTime now = services_.executor.now();
    while (const auto index = waves_->next(now)) visit(*index);
    if (waves_->running() == 0 && waves_->waiting() == 0) return finish();
    if (const auto wait = waves_->wait(now)) {
      timer_.after(services_.executor, *wait, [this] { pump(); });
    }
  }

  void visit(size_t index) {
    const PowerTarget& target = targets_[index];
    hardware::PowerWish wish;
    wish.action = request_.action;
    wish.device = request_.device;
    wish.persistent = request_.persistent;
    wish.policy.graceful = std::chrono::seconds(request_.graceful_s);
    wish.policy.forced = std::chrono::seconds(request_.forced_s);
    wish.system = target.system;
    auto done = [this, index](Result<hardware::PowerOutcome> outcome) {
      visited(index, std::move(outcome));
    };
    if (target.protocol == cluster::BmcProtocol::ipmi) {
      visits_[index].ipmi = std::make_unique<hardware::IpmiVisit>(
          services_.executor, *services_.ipmi, ipmi_.at(target.at.text()), std::move(wish),
          std::move(done));
    } else {
      visits_[index].redfish = std::make_unique<hardware::PowerVisit>(
          services_.executor, *bmcs_.at(target.at.text()).client, std::move(wish), std::move(done));
    }
  }

  void visited(size_t index, Result<hardware::PowerOutcome> outcome) {
    const auto self = shared_from_this();
    visits_[index] = {};
    const PowerTarget& target = targets_[index];
    const bool redfish = target.protocol == cluster::BmcProtocol::redfish;
    if (redfish) note_key(target, bmcs_.at(target.at.text()));
    if (!redfish) note_refusal(target, outcome);
    if (outcome) {
      cluster::OperationGroup group;
      group.nodes = target.node;
      group.count = 1;
      group.result = outcome->boot.empty() ? std::string(enum_name(outcome->state)) : outcome->boot;
      note_state(target.node, stored_state(outcome->state));
      run_->settle(group);
    } else {
      settle_failure(target.node, outcome.error());
    }
    if (redfish && --bmcs_.at(target.at.text()).visits == 0) leave(bmcs_.at(target.at.text()));
    waves_->ended(index);
    pump();
  }

  /// Redfish's clients do so themselves.
  void note_refusal(const PowerTarget& target, const Result<hardware::PowerOutcome>& outcome) {
    if (outcome || outcome.error().code != Code::unauthenticated) return;
    const hardware::IpmiAccess& access = ipmi_.at(target.at.text());
    services_.bmcs.note_refused(target.at.text(), access.user, access.password);
  }

  /// Ends the session; the client goes when that is done, or with this run's end.
  void leave(Bmc& bmc) {
    ++leaving_;
    bmc.client->sign_out([this] {
      --leaving_;
      if (ended_ && leaving_ == 0) release();
    });
  }

  void note_key(const PowerTarget& target, Bmc& bmc) {
    if (bmc.key_noted || bmc.client->seen_key().empty()) return;
    bmc.key_noted = true;
    services_.store.write(
        run_->operation().who,
        [at = target.at.text(), key = bmc.client->seen_key()](store::Transaction& tx) -> Status {
          return cluster::note_bmc_key(tx, at, key);
        },
        [log = services_.log](const Result<store::Committed>& written) {
          if (!written)
            log.error("a BMC's key could not be kept", {{"why", written.error().text()}});
        });
  }

  /// What is seen within one moment goes into the store at once.
  void note_state(const std::string& node, PowerState state) {
    seen_.push_back({node, state});
    if (seen_.size() > 1) return;
    services_.executor.post([self = shared_from_this()] { self->write_states(); });
  }

  void write_states() {
    const std::string why = store::with_reason(
        fmt::format("its BMC said so ({})", run_->operation().what), request_.why);
    services_.store.write(
        run_->operation().who,
        [seen = std::exchange(seen_, {}), why](store::Transaction& tx) -> Status {
          return cluster::note_power(tx, seen, why).map([](size_t) {});
        },
        [log = services_.log](const Result<store::Committed>& written) {
          if (!written)
            log.error("power states could not be kept", {{"why", written.error().text()}});
        });
  }

  void settle_failure(const std::string& node, const Error& error) {
    cluster::OperationGroup group;
    group.nodes = node;
    group.count = 1;
    group.outcome = outcome_of(error.code);
    group.error = error_of(error);
    run_->settle(group);
  }

  void fail_all(const Error& why) { end(OperationOutcome::failed, error_of(why)); }
  void cancel() {
    end(OperationOutcome::cancelled,
        {std::string(info(Code::cancelled).name), "cancelled; what its BMC had begun goes on"});
  }
  void finish() {
    end(OperationOutcome::failed,
        {std::string(info(Code::internal).name), "it ended without a word about this node"});
  }

  void end(OperationOutcome rest, const OperationError& why) {
    if (std::exchange(ended_, true)) return;
    timer_.cancel();
    visits_.clear();
    run_->finish(rest, why);
    if (leaving_ == 0) return release();
    // Sessions that are being closed get a moment.
    timer_.after(services_.executor, std::chrono::seconds(5), [this] { release(); });
  }
  void release() {
    if (release_) std::exchange(release_, nullptr)();
  }

  PowerServices services_;
  RunPtr run_;
  cluster::PowerRequest request_;
  std::vector<PowerTarget> targets_;
  std::map<std::string, Bmc> bmcs_;  ///< by "ADDRESS:PORT"
  std::optional<hardware::PowerWaves> waves_;
  std::map<std::string, hardware::IpmiAccess> ipmi_;  ///< by "ADDRESS:PORT"
  std::vector<Visit> visits_;
  std::vector<cluster::SeenPower> seen_;
  Timer timer_;
  size_t leaving_ = 0;
  bool ended_ = false;
  Callback<void()> release_;
};

/// Those under way: they end with whoever holds this.
using PowerRuns = std::map<std::string, std::shared_ptr<PowerRun>>;

void start_power(const PowerServices& services, const RunPtr& run,
                 const std::shared_ptr<PowerRuns>& runs) {
  const auto request =
      decode_text<cluster::PowerRequest>(run->operation().request.text, Unknown::ignore);
  if (!request) return run->finish(OperationOutcome::failed, error_of(request.error()));
  if (run->operation().taken_up > 0 && !cluster::is_repeatable(request->action)) {
    return run->finish(OperationOutcome::interrupted,
                       {std::string(info(Code::cancelled).name),
                        "its master ended, and doing it again could be once too often"});
  }
  // Gone from a fresh stack: what releases it is in the middle of its own callbacks.
  auto release = [&executor = services.executor, weak = std::weak_ptr(runs),
                  id = run->operation().id] {
    executor.post([weak, id] {
      if (const auto all = weak.lock()) all->erase(id);
    });
  };
  const auto power = std::make_shared<PowerRun>(services, run, *request, std::move(release));
  (*runs)[run->operation().id] = power;
  power->start();
}

}  // namespace

cluster::Operation power_operation(cluster::PowerRequest request,
                                   const std::vector<std::string>& nodes, std::string id,
                                   const std::string& who, const std::string& master) {
  cluster::Operation out;
  out.id = std::move(id);
  out.kind = kPowerOperation;
  out.what = fmt::format("power {}", enum_name(request.action));
  out.who = who;
  out.nodes = fold_names(nodes);
  out.total = nodes.size();
  out.master = master;
  request.nodes = out.nodes;
  out.request.text = encode(request);
  return out;
}

cluster::OperationKind power_operations(const PowerServices& services) {
  return {std::string(kPowerOperation), true,
          [services, runs = std::make_shared<PowerRuns>()](const RunPtr& run) {
            start_power(services, run, runs);
          }};
}

}  // namespace drover::api
