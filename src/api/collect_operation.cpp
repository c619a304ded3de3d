#include "api/collect_operation.hpp"

#include "base/noderange.hpp"
#include "cluster/xname.hpp"
#include "cluster/xname_map.hpp"
#include "hardware/redfish/crawl.hpp"
#include "store/reason.hpp"

#include <deque>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::OperationOutcome;
using RunPtr = std::shared_ptr<cluster::OperationRun>;

cluster::OperationError error_of(const Error& error) {
  return {std::string(info(error.code).name), error.message};
}

OperationOutcome outcome_of(Code code) {
  if (code == Code::unreachable) return OperationOutcome::unreached;
  return code == Code::timed_out ? OperationOutcome::timed_out : OperationOutcome::failed;
}

/// One operation under way here.
class CollectRun : public std::enable_shared_from_this<CollectRun> {
 public:
  /// `release` is called once when nothing is left to do.
  CollectRun(PowerServices services, RunPtr run, cluster::CollectRequest request,
             Callback<void()> release)
      : services_(std::move(services)),
        run_(std::move(run)),
        request_(std::move(request)),
        release_(std::move(release)) {}

  void start() {
    run_->on_cancel([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
    std::vector<PowerTarget> targets;
    for (const std::string& node : run_->remaining()) {
      auto target = power_target(services_.model, node, true);
      if (target && target->protocol != cluster::BmcProtocol::redfish) {
        target = fail(Code::unsupported, "its BMC is not spoken to by Redfish");
      }
      if (target) {
        targets.push_back(*std::move(target));
      } else {
        settle({node}, tl::unexpected<Error>(target.error()));
      }
    }
    const auto keys = std::make_shared<BmcKeys>();
    services_.store.read(
        [keys, targets](store::Transaction& tx) -> Status {
          DROVER_TRY(*keys, read_bmc_keys(tx, targets));
          return {};
        },
        [self = shared_from_this(), keys, targets](const Status& read) {
          for (const PowerTarget& target : targets) {
            auto access = read ? bmc_access(self->services_, target, *keys)
                               : Result<hardware::BmcAccess>(tl::unexpected(read.error()));
            self->add(target, std::move(access));
          }
          self->pump();
        });
  }

 private:
  struct Bmc {
    cluster::CollectedBmc collected;
    hardware::BmcAccess access;
    std::vector<std::string> nodes;
    std::unique_ptr<hardware::Crawl> crawl;
  };

  void add(const PowerTarget& target, Result<hardware::BmcAccess> access) {
    if (!access) return settle({target.node}, tl::unexpected(std::move(access).error()));
    Bmc& bmc = bmcs_[target.at.text()];
    if (bmc.nodes.empty()) {
      const auto* entry = services_.model.find(target.node);
      bmc.collected.address = target.address;
      bmc.collected.name = cluster::parent_xname(cluster::xname_of(entry->node()));
      bmc.collected.user = access->user;
      bmc.access = *std::move(access);
      waiting_.push_back(&bmc);
    }
    bmc.nodes.push_back(target.node);
  }

  void pump() {
    while (!ended_ && !waiting_.empty() && running_ < request_.at_a_time) {
      Bmc& bmc = *waiting_.front();
      waiting_.pop_front();
      ++running_;
      hardware::BmcClientOptions client;
      client.in_flight = request_.in_flight;
      bmc.crawl = std::make_unique<hardware::Crawl>(
          services_.bmcs, bmc.access, client, hardware::CrawlOptions{},
          [this, &bmc](Result<hardware::CrawlResult> result) { found(bmc, std::move(result)); });
    }
    if (running_ == 0) end();
  }

  void found(Bmc& bmc, Result<hardware::CrawlResult> result) {
    bmc.crawl.reset();
    Result<std::string> outcome = std::string();
    std::string key;
    if (result) {
      outcome = cluster::summary_of(result->inventory);
      bmc.collected.inventory = std::move(result->inventory);
      key = std::move(result->certificate_key);
    } else {
      outcome = tl::unexpected(std::move(result).error());
    }
    const std::string why = store::with_reason("its BMC was looked through", request_.why);
    services_.store.write(
        run_->operation().who,
        [collected = bmc.collected, at = bmc.access.at.text(), key,
         why](store::Transaction& tx) -> Status {
          tx.explain(why);
          if (!key.empty()) DROVER_CHECK_OK(cluster::note_bmc_key(tx, at, key));
          return cluster::keep_collected(tx, collected).map([](bool) {});
        },
        [self = shared_from_this(), &bmc,
         outcome = std::move(outcome)](const Result<store::Committed>& written) mutable {
          if (outcome && !written) outcome = tl::unexpected<Error>(written.error());
          self->kept(bmc, std::move(outcome));
        });
  }

  void kept(Bmc& bmc, Result<std::string> outcome) {
    settle(bmc.nodes, std::move(outcome));
    bmc.collected.inventory.reset();
    --running_;
    pump();
  }

  void settle(const std::vector<std::string>& nodes, Result<std::string> outcome) {
    if (ended_) return;
    cluster::OperationGroup group;
    group.nodes = fold_names(nodes);
    group.count = nodes.size();
    if (outcome) {
      group.result = *std::move(outcome);
    } else {
      group.outcome = outcome_of(outcome.error().code);
      group.error = error_of(outcome.error());
    }
    run_->settle(group);
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    for (auto& [at, bmc] : bmcs_) bmc.crawl.reset();
    run_->finish(OperationOutcome::failed, {std::string(info(Code::internal).name),
                                            "it ended without a word about this node"});
    if (release_) std::exchange(release_, nullptr)();
  }

  PowerServices services_;
  RunPtr run_;
  cluster::CollectRequest request_;
  std::map<std::string, Bmc> bmcs_;  ///< by "ADDRESS:PORT"
  std::deque<Bmc*> waiting_;
  size_t running_ = 0;
  bool ended_ = false;
  Callback<void()> release_;
};

using CollectRuns = std::map<std::string, std::shared_ptr<CollectRun>>;

}  // namespace

cluster::Operation collect_operation(cluster::CollectRequest request,
                                     const std::vector<std::string>& nodes, std::string id,
                                     const std::string& who, const std::string& master) {
  cluster::Operation out;
  out.id = std::move(id);
  out.kind = kCollectOperation;
  out.what = "discover collect";
  out.who = who;
  out.nodes = fold_names(nodes);
  out.total = nodes.size();
  out.master = master;
  request.nodes = out.nodes;
  out.request.text = encode(request);
  return out;
}

cluster::OperationKind collect_operations(const PowerServices& services) {
  return {std::string(kCollectOperation), true,
          [services, runs = std::make_shared<CollectRuns>()](const RunPtr& run) {
            const auto request = decode_text<cluster::CollectRequest>(run->operation().request.text,
                                                                      Unknown::ignore);
            if (!request) {
              return run->finish(OperationOutcome::failed, error_of(request.error()));
            }
            auto release = [&executor = services.executor, weak = std::weak_ptr(runs),
                            id = run->operation().id] {
              executor.post([weak, id] {
                if (const auto all = weak.lock()) all->erase(id);
              });
            };
            const auto collect =
                std::make_shared<CollectRun>(services, run, *request, std::move(release));
            (*runs)[run->operation().id] = collect;
            collect->start();
          }};
}

}  // namespace drover::api
