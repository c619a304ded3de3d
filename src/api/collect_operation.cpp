#include "api/collect_operation.hpp"

#include "api/bmc_run.hpp"
#include "base/noderange.hpp"
#include "cluster/discovery/found_bmc.hpp"
#include "cluster/xname.hpp"
#include "cluster/xname_map.hpp"
#include "hardware/ipmi/ipmi_look.hpp"
#include "hardware/redfish/crawl.hpp"
#include "store/reason.hpp"

#include <deque>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::OperationOutcome;

/// One operation under way here.
class CollectRun : public std::enable_shared_from_this<CollectRun> {
 public:
  /// `release` is called once when nothing is left to do.
  CollectRun(PowerServices services, OperationRunPtr run, cluster::CollectOrder order,
             Callback<void()> release)
      : services_(std::move(services)),
        run_(std::move(run)),
        request_(std::move(order.asked)),
        found_(order.found),
        release_(std::move(release)) {}

  void start() {
    run_->on_cancel([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
    if (found_) return read_found();
    std::vector<PowerTarget> targets;
    for (const std::string& node : run_->remaining()) {
      auto target = power_target(services_.model, node);
      if (target) {
        targets.push_back(*std::move(target));
      } else {
        settle({node}, tl::unexpected<Error>(target.error()));
      }
    }
    read_keys(std::move(targets));
  }

 private:
  struct Bmc {
    cluster::CollectedBmc collected;
    hardware::BmcAccess access;                ///< by Redfish
    std::optional<hardware::IpmiAccess> ipmi;  ///< where it is spoken to by IPMI instead
    std::vector<std::string> nodes;
    std::unique_ptr<hardware::Crawl> crawl;
    std::unique_ptr<hardware::IpmiLook> look;
  };

  /// Where the BMCs are that scans have found.
  void read_found() {
    const auto known = std::make_shared<std::vector<cluster::FoundBmc>>();
    services_.store.read(
        [known](store::Transaction& tx) -> Status {
          DROVER_TRY(*known, cluster::found_bmcs(tx));
          return {};
        },
        [self = shared_from_this(), known](const Status& read) {
          if (read) return self->read_keys(self->targets_of(*known));
          self->settle(self->run_->remaining(), tl::unexpected<Error>(read.error()));
          self->end();
        });
  }

  /// How it is spoken to: by Redfish behind TLS, else by IPMI, whose passwords are never sent.
  static Result<PowerTarget> target_of(const cluster::FoundBmc& bmc) {
    PowerTarget target;
    target.node = target.address = bmc.address;
    if (bmc.port != 0 && !bmc.plain) {
      target.at = net::Endpoint{bmc.address, bmc.port, ""};
    } else if (bmc.ipmi_port != 0) {
      target.at = net::Endpoint{bmc.address, bmc.ipmi_port, ""};
      target.protocol = cluster::BmcProtocol::ipmi;
    } else {
      return fail(Code::unsupported,
                  "it speaks Redfish without TLS alone: no password is sent there");
    }
    return target;
  }

  std::vector<PowerTarget> targets_of(const std::vector<cluster::FoundBmc>& known) {
    // As nodes have it: their groups may have a password of their own.
    std::map<std::string, PowerTarget> of_nodes;
    for (const auto& [name, entry] : services_.model.nodes()) {
      if (!entry.node().spec.bmc) continue;
      if (auto target = power_target(services_.model, name)) {
        of_nodes.try_emplace(target->address, *std::move(target));
      }
    }
    std::map<std::string_view, const cluster::FoundBmc*> by_address;
    for (const cluster::FoundBmc& bmc : known) by_address[bmc.address] = &bmc;
    std::vector<PowerTarget> targets;
    for (const std::string& address : run_->remaining()) {
      const auto bmc = by_address.find(address);
      if (bmc == by_address.end()) {
        settle({address}, fail(Code::not_found, "it was forgotten meanwhile"));
      } else if (auto target = target_of(*bmc->second)) {
        if (const auto as = of_nodes.find(address); as != of_nodes.end()) {
          target->system = as->second.system;
          target->user = as->second.user;
          target->groups = as->second.groups;
          target->of_node = as->second.node;
        }
        targets.push_back(*std::move(target));
      } else {
        settle({address}, tl::unexpected<Error>(target.error()));
      }
    }
    return targets;
  }

  void read_keys(std::vector<PowerTarget> targets) {
    const auto keys = std::make_shared<BmcKeys>();
    services_.store.read(
        [keys, targets](store::Transaction& tx) -> Status {
          DROVER_TRY(*keys, read_bmc_keys(tx, targets));
          return {};
        },
        [self = shared_from_this(), keys, targets](const Status& read) {
          for (const PowerTarget& target : targets) {
            const Status added = read ? self->add(target, *keys) : read;
            if (!added) self->settle({target.node}, tl::unexpected<Error>(added.error()));
          }
          self->pump();
        });
  }

  /// What its BMC is called while nobody has named it.
  std::string name_for(const PowerTarget& target) const {
    const std::string& node = found_ ? target.of_node : target.node;
    const auto* entry = node.empty() ? nullptr : services_.model.find(node);
    return entry == nullptr ? cluster::bmc_name_of(target.address)
                            : cluster::parent_xname(cluster::xname_of(entry->node()));
  }

  Status add(const PowerTarget& target, const BmcKeys& keys) {
    const auto known = bmcs_.find(target.at.text());
    if (known != bmcs_.end()) {
      known->second.nodes.push_back(target.node);
      return {};
    }
    Bmc bmc;
    if (target.protocol == cluster::BmcProtocol::ipmi) {
      if (services_.ipmi == nullptr) return fail(Code::unsupported, "this master speaks no IPMI");
      DROVER_TRY(auto login, bmc_login(services_, target, keys));
      bmc.ipmi = {target.address, target.at.port, std::move(login.user), std::move(login.password)};
      bmc.collected.user = bmc.ipmi->user;
      bmc.access.at = target.at;
    } else {
      DROVER_TRY(bmc.access, bmc_access(services_, target, keys));
      bmc.collected.user = bmc.access.user;
    }
    bmc.collected.address = target.address;
    bmc.collected.name = name_for(target);
    bmc.nodes.push_back(target.node);
    waiting_.push_back(&bmcs_.emplace(target.at.text(), std::move(bmc)).first->second);
    return {};
  }

  void pump() {
    while (!ended_ && !waiting_.empty() && running_ < request_.at_a_time) {
      Bmc& bmc = *waiting_.front();
      waiting_.pop_front();
      ++running_;
      if (bmc.ipmi) {
        bmc.look = std::make_unique<hardware::IpmiLook>(
            *services_.ipmi, *bmc.ipmi, [this, &bmc](Result<cluster::BmcInventory> seen) {
              found(bmc, std::move(seen).map([](cluster::BmcInventory&& inventory) {
                return hardware::CrawlResult{std::move(inventory), {}, "", 0};
              }));
            });
        continue;
      }
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
    bmc.look.reset();
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
    for (auto& [at, bmc] : bmcs_) {
      bmc.crawl.reset();
      bmc.look.reset();
    }
    run_->finish(OperationOutcome::failed, {std::string(info(Code::internal).name),
                                            "it ended without a word about this node"});
    if (release_) std::exchange(release_, nullptr)();
  }

  PowerServices services_;
  OperationRunPtr run_;
  cluster::CollectRequest request_;
  bool found_;                       ///< addresses stand for nodes
  std::map<std::string, Bmc> bmcs_;  ///< by "ADDRESS:PORT"
  std::deque<Bmc*> waiting_;
  size_t running_ = 0;
  bool ended_ = false;
  Callback<void()> release_;
};

using CollectRuns = std::map<std::string, std::shared_ptr<CollectRun>>;

}  // namespace

namespace {

cluster::Operation operation_of(cluster::CollectOrder order, const std::vector<std::string>& names,
                                std::string id, const std::string& who, const std::string& master) {
  cluster::Operation out;
  out.id = std::move(id);
  out.kind = kCollectOperation;
  out.what = "discover collect";
  out.who = who;
  out.nodes = fold_names(names);
  out.total = names.size();
  out.master = master;
  order.asked.nodes = out.nodes;
  out.request.text = encode(order);
  return out;
}

}  // namespace

cluster::Operation collect_operation(cluster::CollectRequest request,
                                     const std::vector<std::string>& nodes, std::string id,
                                     const std::string& who, const std::string& master) {
  return operation_of({std::move(request), false}, nodes, std::move(id), who, master);
}

cluster::Operation collect_found_operation(const cluster::FoundCollectRequest& request,
                                           const std::vector<std::string>& addresses,
                                           std::string id, const std::string& who,
                                           const std::string& master) {
  cluster::CollectRequest asked{{}, request.at_a_time, request.in_flight, request.why};
  return operation_of({std::move(asked), true}, addresses, std::move(id), who, master);
}

cluster::OperationKind collect_operations(const PowerServices& services) {
  return {std::string(kCollectOperation), true,
          [services, runs = std::make_shared<CollectRuns>()](const OperationRunPtr& run) {
            const auto order =
                decode_text<cluster::CollectOrder>(run->operation().request.text, Unknown::ignore);
            if (!order) return run->finish(OperationOutcome::failed, error_of(order.error()));
            auto release = [&executor = services.executor, weak = std::weak_ptr(runs),
                            id = run->operation().id] {
              executor.post([weak, id] {
                if (const auto all = weak.lock()) all->erase(id);
              });
            };
            const auto collect =
                std::make_shared<CollectRun>(services, run, *order, std::move(release));
            (*runs)[run->operation().id] = collect;
            collect->start();
          }};
}

}  // namespace drover::api
