// GET /backup: all that a master keeps, as one stream.
#include "api/backups.hpp"
#include "api/native/native.hpp"

namespace drover::api {

void add_backup(Router& router, Backups& backups) {
  router.add({.method = "GET",
              .path = "/api/v1/backup",
              .privilege = auth::Privilege::administer,
              .summary = "Take a backup of the running cluster, its private keys included.",
              .gives = text_body(),
              .content_type = "application/octet-stream",
              .secrets = true,
              .errors = {Code::conflict},
              .handler = [&backups](const RequestPtr& r) { backups.start(r); }});
}

}  // namespace drover::api
