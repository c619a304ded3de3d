// GET /audit: who asked to change what, and what came of it.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

Result<std::optional<WallTime>> time_of(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text) return std::optional<WallTime>();
  const auto time = from_rfc3339(*text);
  if (time) return time;
  return fail(
      Code::invalid_argument,
      fmt::format("query parameter {}: expected a time such as 2026-11-21T21:33:17Z", name));
}

Result<auth::AuditQuery> query_of(const Request& request) {
  auth::AuditQuery query;
  query.principal = request.query("principal").value_or("");
  query.outcome = request.query("outcome").value_or("");
  query.method = request.query("method").value_or("");
  query.target = request.query("target").value_or("");
  query.address = request.query("address").value_or("");
  query.page = request.query("page").value_or("");
  DROVER_TRY(query.since, time_of(request, "since"));
  DROVER_TRY(query.until, time_of(request, "until"));
  DROVER_TRY(query.limit, request.query_number("limit", 1000, 1, auth::kMostAuditRecords));
  return query;
}

void list_audit(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, auth::AuditQuery query, query_of(*request));
  services.audit.read_audit(std::move(query), [request](const Result<auth::AuditPage>& page) {
    if (!page) return request->fail(page.error());
    ListWriter list;
    for (const auth::AuditRecord& record : page->records) list.add(record);
    request->json(200, list.finish(page->next));
  });
}

}  // namespace

void add_audit(Router& router, Services& services) {
  router.add(
      {.method = "GET",
       .path = "/api/v1/audit",
       .privilege = auth::Privilege::administer,
       .summary = "List requests that would change something, refused ones too, newest first.",
       .query = {{"principal", "Who asked; * stands for any text."},
                 {.name = "outcome",
                  .doc = "What came of it.",
                  .choices = {"done", "refused", "failed"}},
                 {"method", "HTTP method."},
                 {"target", "Text in the path or query."},
                 {"address", "How the caller's address begins."},
                 {"since", "At this time or later (RFC 3339)."},
                 {"until", "Before this time (RFC 3339)."},
                 {"limit", "Most items of a page.", true, 1, auth::kMostAuditRecords},
                 {"page", "A next_page of this list."}},
       .gives = list_of<auth::AuditRecord>(),
       .sortable = false,
       .handler = [&services](const RequestPtr& r) { list_audit(services, r); }});
}

}  // namespace drover::api
