#include "api/power_operation.hpp"

#include "api/power_hold.hpp"
#include "api/power_sight.hpp"
#include "base/noderange.hpp"
#include "cluster/hardware/power_note.hpp"
#include "cluster/xname_map.hpp"
#include "hardware/ipmi/ipmi_visit.hpp"
#include "hardware/power/light_visit.hpp"
#include "hardware/power/power_visit.hpp"
#include "net/sha256.hpp"
#include "store/reason.hpp"

#include <utility>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::BmcPowerState;
using cluster::OperationOutcome;
using cluster::PowerAction;
using cluster::PowerOrder;
using cluster::PowerState;

/// The most that check(PowerRequest) allows.
constexpr uint32_t kMostPerSecond = 1'000;
/// What a reservation lasts beyond the deadlines of its change.
constexpr Duration kHoldMargin = std::chrono::minutes(2);

PowerState stored_state(BmcPowerState state) {
  if (state == BmcPowerState::on || state == BmcPowerState::powering_off) return PowerState::on;
  if (state == BmcPowerState::off || state == BmcPowerState::powering_on) return PowerState::off;
  return PowerState::unknown;
}

/// Writes down what is seen within one moment at once.
class PowerNotes : public std::enable_shared_from_this<PowerNotes> {
 public:
  PowerNotes(PowerServices services, const cluster::Operation& operation, const std::string& why)
      : services_(std::move(services)),
        who_(operation.who),
        why_(store::with_reason(fmt::format("its BMC said so ({})", operation.what), why)) {}

  void add(const std::string& node, PowerState state) {
    seen_.push_back({node, state});
    if (seen_.size() > 1) return;
    services_.executor.post([self = shared_from_this()] { self->write(); });
  }

 private:
  void write() {
    services_.store.write(
        who_,
        [seen = std::exchange(seen_, {}), why = why_](store::Transaction& tx) -> Status {
          return cluster::note_power(tx, seen, why).map([](size_t) {});
        },
        [log = services_.log](const Result<store::Committed>& written) {
          if (!written)
            log.error("power states could not be kept", {{"why", written.error().text()}});
        });
  }

  PowerServices services_;
  std::string who_;
  std::string why_;
  std::vector<cluster::SeenPower> seen_;
};

bool is_look(PowerAction action) {
  return action == PowerAction::status;
}

hardware::PowerWish wish_of(const cluster::PowerRequest& request, const PowerTarget& target) {
  hardware::PowerWish wish;
  wish.action = request.action;
  wish.device = request.device;
  wish.persistent = request.persistent;
  wish.light = request.light;
  wish.policy.graceful = std::chrono::seconds(request.graceful_s);
  wish.policy.forced = std::chrono::seconds(request.forced_s);
  wish.policy.confirm = request.confirm;
  wish.system = target.system;
  return wish;
}

/// How a visit ends: noted, told, and in one word.
hardware::PowerCourse::Done done_with(const PowerServices& services,
                                      const std::shared_ptr<PowerNotes>& notes,
                                      const std::string& node, BmcWork::Done done) {
  return [sight = services.sight, notes, node,
          done = std::move(done)](Result<hardware::PowerOutcome> outcome) mutable {
    if (sight != nullptr) sight->note(node, outcome);
    if (!outcome) return done(tl::unexpected(std::move(outcome).error()));
    notes->add(node, stored_state(outcome->state));
    done(outcome->said.empty() ? std::string(enum_name(outcome->state)) : outcome->said);
  };
}

PowerHold hold_of(const PowerServices& services, const OperationRunPtr& run,
                  const PowerOrder& order, const PowerTarget& target) {
  constexpr size_t kKeyBytes = 32;
  PowerHold hold;
  hold.node = target.node;
  const auto* entry = services.model.find(target.node);
  if (entry != nullptr) hold.xname = cluster::xname_of(entry->node());
  hold.operation = run->operation().id;
  hold.random = services.bmcs.random().hex(kKeyBytes);
  const auto deputy = order.deputies.find(target.node);
  if (deputy != order.deputies.end()) hold.deputy = deputy->second;
  hold.force = order.request.force;
  hold.longest = std::chrono::seconds(order.request.graceful_s) +
                 2 * std::chrono::seconds(order.request.forced_s) + kHoldMargin;
  return hold;
}

/// A change reserves its node before and releases it after.
void add_hold(BmcWork& work, const PowerServices& services, const OperationRunPtr& run,
              const PowerOrder& order) {
  work.before = [services, run, order](const PowerTarget& target, Callback<void(Status)> then) {
    services.store.write(
        run->operation().who,
        [hold = hold_of(services, run, order, target)](store::Transaction& tx) -> Status {
          return hold_power(tx, hold);
        },
        [then = std::move(then)](const Result<store::Committed>& held) mutable {
          then(held ? Status() : tl::unexpected<Error>(held.error()));
        });
  };
  work.after = [services, run](const PowerTarget& target) {
    const auto* entry = services.model.find(target.node);
    if (entry == nullptr) return;
    services.store.write(
        run->operation().who,
        [xname = cluster::xname_of(entry->node()), id = run->operation().id](
            store::Transaction& tx) -> Status { return release_power(tx, xname, id); },
        [log = services.log](const Result<store::Committed>& released) {
          if (!released)
            log.error("a reservation could not be ended", {{"why", released.error().text()}});
        });
  };
}

/// An operation of a start that is over, which must not be done again.
void interrupt(const PowerServices& services, const OperationRunPtr& run) {
  std::vector<std::string> xnames;
  for (const std::string& node : run->remaining()) {
    const auto* entry = services.model.find(node);
    if (entry != nullptr) xnames.push_back(cluster::xname_of(entry->node()));
  }
  services.store.write(
      run->operation().who,
      [xnames, id = run->operation().id](store::Transaction& tx) -> Status {
        for (const std::string& xname : xnames) DROVER_CHECK_OK(release_power(tx, xname, id));
        return {};
      },
      [](const Result<store::Committed>&) {});
  run->finish(OperationOutcome::interrupted,
              {std::string(info(Code::cancelled).name),
               "its master ended, and doing it again could be once too often"});
}

}  // namespace

PowerOrder power_order(cluster::PowerRequest request) {
  PowerOrder order;
  for (const auto& [node, key] : request.deputy_keys) {
    if (!key.empty()) order.deputies[node] = net::sha256_hex(key);
  }
  request.deputy_keys.clear();
  order.request = std::move(request);
  return order;
}

cluster::Operation power_operation(PowerOrder order, const std::vector<std::string>& nodes,
                                   std::string id, const std::string& who,
                                   const std::string& master) {
  cluster::Operation out;
  out.id = std::move(id);
  out.kind = kPowerOperation;
  out.what = fmt::format("power {}", enum_name(order.request.action));
  out.who = who;
  out.nodes = fold_names(nodes);
  out.total = nodes.size();
  out.master = master;
  order.request.nodes = out.nodes;
  out.request.text = encode(order);
  return out;
}

BmcWork power_work(const PowerServices& services, const OperationRunPtr& run,
                   const PowerOrder& order) {
  const cluster::PowerRequest& request = order.request;
  BmcWork work;
  work.limits.at_a_time = request.at_a_time;
  // Looking draws no current, and neither does what is only arranged.
  const bool draws = !is_look(request.action) && !hardware::is_arranged(request.action);
  work.limits.per_second = draws ? request.per_second : kMostPerSecond;
  work.limits.groups = request.group_limits;
  const auto notes = std::make_shared<PowerNotes>(services, run->operation(), request.why);
  work.redfish = [services, notes, request](
                     const PowerTarget& target, hardware::BmcClient& client,
                     BmcWork::Done done) -> std::unique_ptr<hardware::BmcVisit> {
    auto ended = done_with(services, notes, target.node, std::move(done));
    auto wish = wish_of(request, target);
    if (wish.action == PowerAction::identify) {
      return std::make_unique<hardware::LightVisit>(services.executor, client, std::move(wish),
                                                    std::move(ended));
    }
    return std::make_unique<hardware::PowerVisit>(services.executor, client, std::move(wish),
                                                  std::move(ended));
  };
  work.ipmi = [services, notes, request](
                  const PowerTarget& target, hardware::IpmiTool& tool, hardware::IpmiAccess access,
                  BmcWork::Done done) -> std::unique_ptr<hardware::BmcVisit> {
    return std::make_unique<hardware::IpmiVisit>(
        services.executor, tool, std::move(access), wish_of(request, target),
        done_with(services, notes, target.node, std::move(done)));
  };
  // A light is for people who look for the machine, whoever holds it.
  if (!is_look(request.action) && request.action != PowerAction::identify) {
    add_hold(work, services, run, order);
  }
  return work;
}

cluster::OperationKind power_operations(const PowerServices& services) {
  return bmc_operations(
      kPowerOperation, services, [services](const OperationRunPtr& run) -> std::optional<BmcWork> {
        const auto order = decode_text<PowerOrder>(run->operation().request.text, Unknown::ignore);
        if (!order) {
          run->finish(OperationOutcome::failed, error_of(order.error()));
          return std::nullopt;
        }
        const bool again = run->operation().taken_up > 0;
        if (again && !cluster::is_repeatable(order->request.action)) {
          interrupt(services, run);
          return std::nullopt;
        }
        return power_work(services, run, *order);
      });
}

}  // namespace drover::api
