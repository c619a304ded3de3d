// GET and PUT /local/log-levels, POST /local/reload: what any daemon takes on its own socket.
#include "api/native/native.hpp"

namespace drover::api {

void add_control(Router& router, Services& services) {
  DaemonControl* const control = services.control;
  if (control == nullptr) return;
  router.add(
      {.method = "GET",
       .path = "/api/v1/local/log-levels",
       .privilege = auth::Privilege::view,
       .summary = "Show the log levels of the answering daemon.",
       .gives = body_of<LogLevelsView>(),
       .takes_key = false,
       .handler = [control](const RequestPtr& r) { r->json(200, encode(control->log_levels())); }});
  router.add({.method = "PUT",
              .path = "/api/v1/local/log-levels",
              .privilege = auth::Privilege::administer,
              .summary = "Set log levels of the answering daemon until its next start.",
              .takes = body_of<LogLevelsRequest>(),
              .gives = body_of<LogLevelsView>(),
              .takes_key = false,
              .handler = [control](const RequestPtr& r) {
                DROVER_OR_FAIL(r, const LogLevelsRequest asked, r->body<LogLevelsRequest>());
                if (const Status set = control->set_log_levels(asked); !set) {
                  return r->fail(set.error());
                }
                r->json(200, encode(control->log_levels()));
              }});
  router.add({.method = "POST",
              .path = "/api/v1/local/reload",
              .privilege = auth::Privilege::administer,
              .summary = "Have the answering daemon read its configuration again.",
              .gives = body_of<ReloadView>(),
              .errors = {Code::not_found},
              .takes_key = false,
              .handler = [control](const RequestPtr& r) {
                DROVER_OR_FAIL(r, const ReloadView done, control->reload());
                r->json(200, encode(done));
              }});
}

}  // namespace drover::api
