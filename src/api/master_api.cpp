#include "api/master_api.hpp"

#include "api/call_operation.hpp"
#include "api/idempotency.hpp"
#include "api/native/native.hpp"

#include <fmt/format.h>

namespace drover::api {

MasterApi::MasterApi(Services services, Callback<std::shared_ptr<const auth::Policy>()> policy,
                     Callback<void(const auth::AuditRecord&)> audit,
                     NodeAuthority::GroupsOf groups_of)
    : services_(services),
      operations_(services.executor, services.store, services.log,
                  operation_options(services.local)),
      hub_(services.executor, services.store, services.model),
      backups_(services_),
      node_authority_(services.model, std::move(groups_of)),
      router_({services.executor, services.random, services.log, std::move(policy),
               "master/" + services.local.local().name, std::move(audit),
               [this](const auth::Principal& who, const auth::Standing& standing,
                      std::span<const std::string> names, auth::NodeUse use) {
                 return node_authority_.check(who, standing, names, use);
               }}) {
  services_.operations = &operations_;
  operations_.add(call_operations(services_));
  operations_.start();
  add_nodes(router_, services_);
  add_attributes(router_, services_);
  add_states(router_, services_);
  add_groups(router_, services_);
  add_profiles(router_, services_);
  add_inventory(router_, services_);
  add_metrics(router_, services_);
  add_health(router_, services_);
  add_apply(router_, services_);
  add_calls(router_, services_);
  add_changes(router_, services_, hub_);
  add_operations(router_, services_);
  add_revert(router_, services_);
  add_backup(router_, backups_);
  add_tokens(router_, services_);
  add_settings(router_, services_);
  add_join(router_, services_);
  add_renew(router_, services_);
  add_names(router_, services_);
  add_noderange(router_, services_);
  add_control(router_, services_);
  add_local(router_, services_.local);
  add_version(router_, services_.local);
  add_contract(router_, services_.local);
  router_.limit_rate({});
  sweep();
}

cluster::OperationRunner::Options MasterApi::operation_options(LocalSource& local) {
  const LocalView self = local.local();
  cluster::OperationRunner::Options out;
  out.master = fmt::format("{}#{}", self.name, self.starts);
  return out;
}

void MasterApi::sweep() {
  sweeper_.after(services_.executor, std::chrono::hours(1), [this] {
    sweep_idempotency(services_.store);
    sweep();
  });
}

}  // namespace drover::api
