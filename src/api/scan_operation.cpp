#include "api/scan_operation.hpp"

#include "base/noderange.hpp"
#include "cluster/discovery/found_bmc.hpp"
#include "hardware/discovery/bmc_scan.hpp"
#include "store/reason.hpp"

#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::FoundBmc;
using cluster::OperationOutcome;
using RunPtr = std::shared_ptr<cluster::OperationRun>;

cluster::OperationError error_of(const Error& error) {
  return {std::string(info(error.code).name), error.message};
}

/// One operation under way here.
class ScanRun : public std::enable_shared_from_this<ScanRun> {
 public:
  /// `release` is called once when nothing is left to do.
  ScanRun(PowerServices services, RunPtr run, cluster::ScanRequest request,
          Callback<void()> release)
      : services_(std::move(services)),
        run_(std::move(run)),
        request_(std::move(request)),
        release_(std::move(release)) {}

  void start() {
    run_->on_cancel([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
    if (request_.fresh) return ask({});
    const auto known = std::make_shared<std::vector<FoundBmc>>();
    services_.store.read(
        [known](store::Transaction& tx) -> Status {
          DROVER_TRY(*known, cluster::found_bmcs(tx));
          return {};
        },
        [self = shared_from_this(), known](const Status& read) {
          if (!read) return self->give_up(read.error());
          self->ask(*known);
        });
  }

 private:
  void ask(const std::vector<FoundBmc>& known) {
    if (ended_) return;
    std::map<std::string, const FoundBmc*> by_address;
    for (const FoundBmc& bmc : known) by_address[bmc.address] = &bmc;
    std::vector<std::string> addresses;
    for (std::string& address : run_->remaining()) {
      const auto found = by_address.find(address);
      if (found == by_address.end()) {
        addresses.push_back(std::move(address));
      } else {
        settle(address, summary_of(*found->second));
      }
    }
    left_ = addresses.size();
    if (left_ == 0) return end();
    scan_.emplace(services_.bmcs, request_, std::move(addresses),
                  [weak = weak_from_this()](const std::string& address, Result<FoundBmc> bmc) {
                    if (const auto self = weak.lock()) self->answered(address, std::move(bmc));
                  });
  }

  void answered(const std::string& address, Result<FoundBmc> bmc) {
    if (!bmc) {
      if (bmc.error().code == Code::not_found) {
        settle(address, fmt::format("{} ({})", kNoBmc, bmc.error().message));
      } else {
        settle(address, tl::unexpected<Error>(std::move(bmc).error()));
      }
      return one_less();
    }
    services_.store.write(
        run_->operation().who,
        [bmc = *bmc, why = request_.why](store::Transaction& tx) -> Status {
          tx.explain(store::with_reason("a scan found it", why));
          return cluster::keep_found(tx, bmc).map([](bool) {});
        },
        [self = shared_from_this(), address,
         what = summary_of(*bmc)](const Result<store::Committed>& written) {
          if (written) {
            self->settle(address, what);
          } else {
            self->settle(address, tl::unexpected<Error>(written.error()));
          }
          self->one_less();
        });
  }

  void settle(const std::string& address, Result<std::string> outcome) {
    if (ended_) return;
    cluster::OperationGroup group;
    group.nodes = fold_names({address});
    group.count = 1;
    if (outcome) {
      group.result = *std::move(outcome);
    } else {
      group.outcome = OperationOutcome::failed;
      group.error = error_of(outcome.error());
    }
    run_->settle(group);
  }

  void one_less() {
    if (--left_ == 0) end();
  }

  void give_up(const Error& why) {
    if (std::exchange(ended_, true)) return;
    run_->finish(OperationOutcome::failed, error_of(why));
    if (release_) std::exchange(release_, nullptr)();
  }

  void end() {
    give_up({Code::internal, "it ended without a word about this address", {}, {}});
    // Not in here: this may be a call of the scan's.
    services_.executor.post([self = shared_from_this()] { self->scan_.reset(); });
  }

  PowerServices services_;
  RunPtr run_;
  cluster::ScanRequest request_;
  std::optional<hardware::BmcScan> scan_;
  size_t left_ = 0;
  bool ended_ = false;
  Callback<void()> release_;
};

using ScanRuns = std::map<std::string, std::shared_ptr<ScanRun>>;

}  // namespace

cluster::Operation scan_operation(const cluster::ScanRequest& request,
                                  const std::vector<std::string>& addresses, std::string id,
                                  const std::string& who, const std::string& master) {
  cluster::Operation out;
  out.id = std::move(id);
  out.kind = kScanOperation;
  out.what = "discover scan";
  out.who = who;
  out.nodes = fold_names(addresses);
  out.total = addresses.size();
  out.master = master;
  out.request.text = encode(request);
  return out;
}

cluster::OperationKind scan_operations(const PowerServices& services) {
  return {std::string(kScanOperation), true,
          [services, runs = std::make_shared<ScanRuns>()](const RunPtr& run) {
            const auto request =
                decode_text<cluster::ScanRequest>(run->operation().request.text, Unknown::ignore);
            if (!request) {
              return run->finish(OperationOutcome::failed, error_of(request.error()));
            }
            auto release = [&executor = services.executor, weak = std::weak_ptr(runs),
                            id = run->operation().id] {
              executor.post([weak, id] {
                if (const auto all = weak.lock()) all->erase(id);
              });
            };
            const auto scan =
                std::make_shared<ScanRun>(services, run, *request, std::move(release));
            (*runs)[run->operation().id] = scan;
            scan->start();
          }};
}

}  // namespace drover::api
