// GET /changes and GET /watch: the change log in pages and as a stream.
#include "api/change_view.hpp"
#include "api/list_writer.hpp"
#include "api/native/native.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint64_t kMaxChanges = 10'000;
constexpr uint64_t kMostSequence = std::numeric_limits<int64_t>::max();

Result<store::ChangeQuery> query_of(const Request& request) {
  store::ChangeQuery query;
  if (request.query("since")) {
    DROVER_TRY(query.since, request.query_number("since", 0, 0, kMostSequence));
  }
  if (request.query("page")) {
    DROVER_TRY(query.since, request.query_number("page", 0, 0, kMostSequence));
  }
  DROVER_TRY(query.limit, request.query_number("limit", 1000, 1, kMaxChanges));
  query.kind = request.query("kind").value_or("");
  query.key = request.query("key").value_or("");
  if (!query.key.empty() && query.kind.empty()) {
    return fail(Code::invalid_argument, "query parameter key needs kind");
  }
  return query;
}

void list_changes(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, store::ChangeQuery query, query_of(*request));
  services.store.changes(
      std::move(query), [&services, request](const Result<store::ChangePage>& page) {
        if (!page) return request->fail(page.error());
        ListWriter list;
        for (const store::Change& change : page->changes) list.add(view_of(change));
        const bool more = page->scanned_to < services.store.head();
        request->json(200, list.finish(more ? std::to_string(page->scanned_to) : ""));
      });
}

}  // namespace

void add_changes(Router& router, Services& services, WatchHub& hub) {
  router.add({.method = "GET",
              .path = "/api/v1/changes",
              .privilege = auth::Privilege::view,
              .summary = "List the change log, oldest first.",
              .query = {{"since", "Only changes behind this sequence.", true},
                        {"limit", "Most items of a page; 1000 when absent.", true, 1, kMaxChanges},
                        {"page", "A next_page of this list."},
                        {"kind", "Only things of this kind: node, part, daemon .."},
                        {"key", "Only the thing of this key; needs kind."}},
              .gives = list_of<ChangeView>(),
              .errors = {Code::too_old},
              .sortable = false,
              .handler = [&services](const RequestPtr& r) { list_changes(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/watch",
              .privilege = auth::Privilege::view,
              .summary = "Follow the change log: events change, bookmark and problem.",
              .query = {{"since", "Start behind this sequence; absent: from now on.", true},
                        {"kind", "Only things of this kind."},
                        {"key", "Only the thing of this key; needs kind."}},
              .gives = body_of<ChangeView>(),
              .content_type = "text/event-stream",
              .errors = {Code::too_old},
              .handler = [&hub](const RequestPtr& r) { hub.watch(r); }});
}

}  // namespace drover::api
