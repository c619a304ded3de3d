#include "api/master_api.hpp"

#include "api/bss/bss.hpp"
#include "api/call_operation.hpp"
#include "api/idempotency.hpp"
#include "api/native/bmc_sensors.hpp"
#include "api/native/boot.hpp"
#include "api/native/consoles.hpp"
#include "api/native/discover.hpp"
#include "api/native/native.hpp"
#include "api/native/power.hpp"
#include "api/pcs/pcs.hpp"
#include "api/smd/smd.hpp"

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
  hub_.recheck_with([this](const auth::Principal& who) { return still_watches(who); });
  operations_.add(call_operations(services_));
  operations_.start();
  add_nodes(router_, services_);
  add_attributes(router_, services_);
  add_states(router_, services_);
  add_groups(router_, services_);
  add_profiles(router_, services_);
  add_networks(router_, services_);
  add_boot(router_, services_);
  add_boot_streams(router_, services_);
  add_boot_machines(router_, services_);
  add_images(router_, services_);
  add_bmcs(router_, services_);
  add_inventory(router_, services_);
  add_metrics(router_, services_);
  add_health(router_, services_);
  add_apply(router_, services_);
  add_calls(router_, services_);
  add_power(router_, services_);
  add_bmc_sensors(router_, services_, sight_);
  add_consoles(router_, services_);
  add_console_logs(router_, services_);
  add_discover(router_, services_);
  add_changes(router_, services_, hub_);
  add_operations(router_, services_);
  add_revert(router_, services_);
  add_backup(router_, backups_);
  add_tokens(router_, services_);
  add_settings(router_, services_);
  add_credentials(router_, services_);
  add_grants(router_, services_);
  add_issuers(router_, services_);
  add_whoami(router_, services_);
  add_audit(router_, services_);
  add_certificates(router_, services_);
  add_join(router_, services_);
  add_renew(router_, services_);
  add_enrol(router_, services_);
  add_snapshot(router_, services_);
  add_names(router_, services_);
  add_noderange(router_, services_);
  add_content(router_, services_);
  add_cloud_init(router_, services_);
  add_openchami_cloud_init(router_, services_);
  add_smd(router_, services_);
  add_bss(router_, services_);
  add_pcs(router_, services_, sight_);
  add_node_up(router_, services_);
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

Status MasterApi::still_watches(const auth::Principal& who) const {
  if (!who.key_sha256.empty() && who.kind != auth::PrincipalKind::person) {
    DROVER_CHECK_OK(
        services_.enrolment.check_daemon(who.role, who.name, {who.key_sha256, who.expires}));
  }
  return services_.access.still_reads(who, "GET /api/v1/watch");
}

void MasterApi::sweep() {
  sweeper_.after(services_.executor, std::chrono::hours(1), [this] {
    sweep_idempotency(services_.store);
    sweep();
  });
}

}  // namespace drover::api
