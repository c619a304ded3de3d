// The master's whole HTTP API: every route on its services.
#pragma once

#include "api/backups.hpp"
#include "api/node_authority.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "api/watch_hub.hpp"

#include <memory>
#include <string>

namespace drover::api {

class PowerSight;  // api/power_sight.hpp

/// Executor's thread only; what `services` refers to outlives it.
class MasterApi {
 public:
  /// `audit` takes a record of every request that would change something; it may be empty.
  /// `groups_of`: groups of a login name, for the permissions of nodes; empty: none are known.
  MasterApi(Services services, Callback<std::shared_ptr<const auth::Policy>()> policy,
            Callback<void(const auth::AuditRecord&)> audit = {},
            NodeAuthority::GroupsOf groups_of = {});

  /// Answers one request of a caller that the transport or an assertion has proven.
  void serve(net::HttpRequest request, Result<auth::Principal> principal,
             std::unique_ptr<Answer> answer) {
    router_.serve(std::move(request), std::move(principal), std::move(answer));
  }
  [[nodiscard]] const Router& router() const { return router_; }
  /// From now on; until then RateLimit's own numbers.
  void limit_rate(const RateLimit& limit) { router_.limit_rate(limit); }
  /// Where kinds of operations are added; call_operations() is there. Those added in the same turn
  /// of the executor as this object was made in take part in what is taken up.
  [[nodiscard]] cluster::OperationRunner& operations() { return operations_; }
  /// Where BMCs are spoken to: what asks them by itself is answered from then on. It outlives this.
  void use(PowerSight& sight) { sight_ = &sight; }
  [[nodiscard]] const WatchHub& watchers() const { return hub_; }
  /// The contract as YAML, what api/openapi.yaml holds.
  [[nodiscard]] std::string openapi(std::string_view version) const {
    return router_.openapi(version);
  }

 private:
  void sweep();
  [[nodiscard]] Status still_watches(const auth::Principal& who) const;
  static cluster::OperationRunner::Options operation_options(LocalSource& local);

  Services services_;
  cluster::OperationRunner operations_;
  WatchHub hub_;
  Backups backups_;
  NodeAuthority node_authority_;
  PowerSight* sight_ = nullptr;
  Router router_;
  Timer sweeper_;
};

}  // namespace drover::api
