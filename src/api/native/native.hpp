// The resources of /api/v1: each function adds the routes of one file.
#pragma once

#include "api/backups.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "api/watch_hub.hpp"

namespace drover::api {

/// GET /openapi.yaml, of the router's own table.
void add_contract(Router& router, LocalSource& local);
void add_apply(Router& router, Services& services);
void add_audit(Router& router, Services& services);
void add_bmcs(Router& router, Services& services);
void add_backup(Router& router, Backups& backups);
void add_calls(Router& router, Services& services);
void add_certificates(Router& router, Services& services);
void add_changes(Router& router, Services& services, WatchHub& hub);
void add_content(Router& router, Services& services);
void add_cloud_init(Router& router, Services& services);
void add_control(Router& router, Services& services);
void add_credentials(Router& router, Services& services);
void add_enrol(Router& router, Services& services);
void add_grants(Router& router, Services& services);
void add_health(Router& router, Services& services);
void add_inventory(Router& router, Services& services);
void add_issuers(Router& router, Services& services);
void add_join(Router& router, Services& services);
void add_metrics(Router& router, Services& services);
void add_names(Router& router, Services& services);
void add_noderange(Router& router, Services& services);
void add_node_up(Router& router, Services& services);
void add_nodes(Router& router, Services& services);
void add_node_changes(Router& router, Services& services);  ///< by add_nodes()
void add_attributes(Router& router, Services& services);
void add_groups(Router& router, Services& services);
void add_profiles(Router& router, Services& services);
void add_images(Router& router, Services& services);
void add_states(Router& router, Services& services);
void add_operations(Router& router, Services& services);
void add_renew(Router& router, Services& services);
void add_revert(Router& router, Services& services);
void add_settings(Router& router, Services& services);
void add_snapshot(Router& router, Services& services);
void add_tokens(Router& router, Services& services);
void add_whoami(Router& router, Services& services);

/// OpenCHAMI's /cloud-init/admin (api/openchami/).
void add_openchami_cloud_init(Router& router, Services& services);

/// These two are answered by every daemon about itself.
void add_local(Router& router, LocalSource& local);
void add_version(Router& router, LocalSource& local);

}  // namespace drover::api
