#include "api/bmc_run.hpp"

#include "base/text.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::api {

using cluster::OperationError;
using cluster::OperationOutcome;

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

BmcRun::BmcRun(PowerServices services, OperationRunPtr run, BmcWork work, Callback<void()> release)
    : services_(std::move(services)),
      run_(std::move(run)),
      work_(std::move(work)),
      release_(std::move(release)) {}

BmcRun::~BmcRun() = default;

void BmcRun::start() {
  run_->on_cancel([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->cancel();
  });
  for (const std::string& node : run_->remaining()) {
    auto target = power_target(services_.model, node);
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
        if (!read) return self->end(OperationOutcome::failed, error_of(read.error()));
        self->begin(*keys);
      });
}

void BmcRun::begin(const BmcKeys& keys) {
  if (ended_) return;
  waves_.emplace(work_.limits);
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

Status BmcRun::prepare(const PowerTarget& target, const BmcKeys& keys) {
  DROVER_TRY(hardware::BmcAccess access, bmc_access(services_, target, keys));
  Bmc& bmc = bmcs_[target.at.text()];
  if (!bmc.client) {
    bmc.key_noted = !access.pinned_key.empty();
    bmc.client = std::make_unique<hardware::BmcClient>(services_.bmcs, std::move(access));
  }
  ++bmc.visits;
  return {};
}

Status BmcRun::prepare_ipmi(const PowerTarget& target, const BmcKeys& keys) {
  if (!work_.ipmi) return fail(Code::unsupported, "its BMC is not spoken to by Redfish");
  if (services_.ipmi == nullptr) return fail(Code::unsupported, "this master speaks no IPMI");
  DROVER_TRY(BmcLogin login, bmc_login(services_, target, keys));
  if (services_.bmcs.was_refused(target.at.text(), login.user, login.password)) {
    return fail(Code::unauthenticated,
                fmt::format("the BMC refused the password of '{}'", printable(login.user)),
                "give the right one: drover power credential");
  }
  ipmi_[target.at.text()] = {target.address, target.at.port, std::move(login.user),
                             std::move(login.password)};
  return {};
}

void BmcRun::pump() {
  if (ended_) return;
  const MonoTime now = services_.executor.now();
  while (const auto index = waves_->next(now)) enter(*index);
  if (waves_->running() == 0 && waves_->waiting() == 0) return finish();
  if (const auto wait = waves_->wait(now)) {
    timer_.after(services_.executor, *wait, [this] { pump(); });
  }
}

void BmcRun::enter(size_t index) {
  if (!work_.before) return visit(index);
  work_.before(targets_[index], [weak = weak_from_this(), index](const Status& may) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    if (self->ended_) {
      if (may && self->work_.after) self->work_.after(self->targets_[index]);
      return;
    }
    if (!may) return self->visited(index, tl::unexpected<Error>(may.error()));
    self->visits_[index].entered = true;
    self->visit(index);
  });
}

void BmcRun::visit(size_t index) {
  const PowerTarget& target = targets_[index];
  auto done = [this, index](const Result<std::string>& result) { visited(index, result); };
  if (target.protocol == cluster::BmcProtocol::ipmi) {
    visits_[index].course =
        work_.ipmi(target, *services_.ipmi, ipmi_.at(target.at.text()), std::move(done));
  } else {
    visits_[index].course =
        work_.redfish(target, *bmcs_.at(target.at.text()).client, std::move(done));
  }
}

void BmcRun::visited(size_t index, const Result<std::string>& result) {
  const auto self = shared_from_this();
  const PowerTarget& target = targets_[index];
  if (std::exchange(visits_[index], {}).entered && work_.after) work_.after(target);
  const bool redfish = target.protocol == cluster::BmcProtocol::redfish;
  if (redfish) note_key(target, bmcs_.at(target.at.text()));
  if (result) {
    cluster::OperationGroup group;
    group.nodes = target.node;
    group.count = 1;
    group.result = *result;
    run_->settle(group);
  } else {
    if (!redfish) note_refusal(target, result.error());
    settle_failure(target.node, result.error());
  }
  if (redfish && --bmcs_.at(target.at.text()).visits == 0) leave(bmcs_.at(target.at.text()));
  waves_->ended(index);
  // From a fresh stack: many may be refused before their visit one after the other.
  services_.executor.post([weak = weak_from_this()] {
    if (const auto still = weak.lock()) still->pump();
  });
}

/// Redfish's clients do so themselves.
void BmcRun::note_refusal(const PowerTarget& target, const Error& error) {
  if (error.code != Code::unauthenticated) return;
  const hardware::IpmiAccess& access = ipmi_.at(target.at.text());
  services_.bmcs.note_refused(target.at.text(), access.user, access.password);
}

/// Ends the session; the client goes when that is done, or with this run's end.
void BmcRun::leave(Bmc& bmc) {
  ++leaving_;
  bmc.client->sign_out([this] {
    --leaving_;
    if (ended_ && leaving_ == 0) release();
  });
}

void BmcRun::note_key(const PowerTarget& target, Bmc& bmc) {
  if (bmc.key_noted || bmc.client->seen_key().empty()) return;
  bmc.key_noted = true;
  services_.store.write(
      run_->operation().who,
      [at = target.at.text(), key = bmc.client->seen_key()](store::Transaction& tx) -> Status {
        return cluster::note_bmc_key(tx, at, key);
      },
      [log = services_.log](const Result<store::Committed>& written) {
        if (!written) log.error("a BMC's key could not be kept", {{"why", written.error().text()}});
      });
}

void BmcRun::settle_failure(const std::string& node, const Error& error) {
  cluster::OperationGroup group;
  group.nodes = node;
  group.count = 1;
  group.outcome = outcome_of(error.code);
  group.error = error_of(error);
  run_->settle(group);
}

void BmcRun::cancel() {
  end(OperationOutcome::cancelled,
      {std::string(info(Code::cancelled).name), "cancelled; what its BMC had begun goes on"});
}

void BmcRun::finish() {
  end(OperationOutcome::failed,
      {std::string(info(Code::internal).name), "it ended without a word about this node"});
}

void BmcRun::end(OperationOutcome rest, const OperationError& why) {
  if (std::exchange(ended_, true)) return;
  timer_.cancel();
  for (size_t i = 0; i < visits_.size(); ++i) {
    if (std::exchange(visits_[i], {}).entered && work_.after) work_.after(targets_[i]);
  }
  run_->finish(rest, why);
  if (leaving_ == 0) return release();
  // Sessions that are being closed get a moment.
  timer_.after(services_.executor, std::chrono::seconds(5), [this] { release(); });
}

void BmcRun::release() {
  if (!release_) return;
  services_.executor.post([release = std::exchange(release_, nullptr)]() mutable { release(); });
}

cluster::OperationKind bmc_operations(
    std::string_view kind, const PowerServices& services,
    Callback<std::optional<BmcWork>(const OperationRunPtr&)> work) {
  /// Those under way: they end with whoever holds this.
  using Runs = std::map<std::string, std::shared_ptr<BmcRun>>;
  return {std::string(kind), true,
          [services, runs = std::make_shared<Runs>(),
           work = std::move(work)](const OperationRunPtr& run) mutable {
            auto todo = work(run);
            if (!todo) return;
            const std::string id = run->operation().id;
            const auto begun = std::make_shared<BmcRun>(services, run, *std::move(todo),
                                                        [weak = std::weak_ptr(runs), id] {
                                                          if (const auto all = weak.lock())
                                                            all->erase(id);
                                                        });
            (*runs)[id] = begun;
            begun->start();
          }};
}

}  // namespace drover::api
