// GET /changes and GET /watch: the change log in pages and as a stream.
#include "api/change_filter.hpp"
#include "api/change_view.hpp"
#include "api/list_writer.hpp"
#include "api/native/native.hpp"

#include <memory>
#include <optional>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint64_t kMaxChanges = 10'000;
constexpr uint64_t kMostSequence = std::numeric_limits<int64_t>::max();

/// A place in the log, "1042", or a moment, "2026-11-22T10:00:00Z".
struct Place {
  std::optional<uint64_t> sequence;
  std::optional<int64_t> time_ms;
};

Result<Place> place_of(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text) return Place{};
  if (const auto time = from_rfc3339(*text)) return Place{{}, to_unix_ms(*time)};
  DROVER_TRY(const uint64_t sequence, request.query_number(name, 0, 0, kMostSequence));
  return Place{sequence, {}};
}

/// One list of changes in the making, over as many reads of the log as it takes.
struct Listing {
  store::ChangeQuery query;
  size_t limit = 0;
  MonoTime until{};  ///< a partial page is given then
  ListWriter list;
};
using ListingPtr = std::shared_ptr<Listing>;

Status add_filters(const Request& request, const cluster::Model& model, Listing& to) {
  auto filter = std::make_shared<ChangeConditions>();
  DROVER_TRY(const Place since, place_of(request, "since"));
  DROVER_TRY(const Place until, place_of(request, "until"));
  to.query.since = since.sequence;
  if (since.time_ms) filter->from_ms = to.query.oldest_ms = *since.time_ms;
  if (until.sequence) to.query.before = *until.sequence + 1;
  if (until.time_ms) filter->until_ms = *until.time_ms;
  filter->actor = request.query("actor").value_or("");
  if (const auto nodes = request.query("nodes")) {
    DROVER_TRY(filter->nodes, NodeSet::evaluate(*nodes, model));
  }
  if (since.time_ms || until.time_ms || !filter->actor.empty() || filter->nodes) {
    to.query.filter = std::move(filter);
  }
  return {};
}

Result<ListingPtr> listing_of(const Request& request, const cluster::Model& model) {
  auto out = std::make_shared<Listing>();
  store::ChangeQuery& query = out->query;
  DROVER_CHECK_OK(add_filters(request, model, *out));
  DROVER_TRY(out->limit, request.query_number("limit", 1000, 1, kMaxChanges));
  const std::string_view order = request.query("order").value_or("oldest");
  query.newest_first = order == "newest";
  if (request.query("page")) {
    DROVER_TRY(const uint64_t page, request.query_number("page", 0, 0, kMostSequence));
    if (query.newest_first) {
      query.before = page;
    } else {
      query.since = page;
    }
  }
  query.kind = request.query("kind").value_or("");
  query.key = request.query("key").value_or("");
  if (!query.key.empty() && query.kind.empty()) {
    return fail(Code::invalid_argument, "query parameter key needs kind");
  }
  // The history of a node that is there has what it did under other names too.
  const auto* entry = query.kind == cluster::kNodeKind ? model.find(query.key) : nullptr;
  if (entry != nullptr) query.id = entry->node().id;
  return out;
}

store::ChangeQuery copy_of(const store::ChangeQuery& query, size_t limit) {
  store::ChangeQuery copy = query;
  copy.limit = limit;
  return copy;
}

void read_on(Services& services, const RequestPtr& request, ListingPtr listing) {
  store::ChangeQuery query = copy_of(listing->query, listing->limit - listing->list.count());
  services.store.changes(std::move(query), [&services, request, listing = std::move(listing)](
                                               const Result<store::ChangePage>& page) mutable {
    if (!page) return request->fail(page.error());
    for (const store::Change& change : page->changes) listing->list.add(view_of(change));
    store::ChangeQuery& next = listing->query;
    if (next.newest_first) {
      next.before = page->scanned_to;
    } else {
      next.since = page->scanned_to;
    }
    const bool full = listing->list.count() >= listing->limit;
    const bool late = services.executor.now() >= listing->until;
    if (page->more && !full && !late && next.filter) {
      return read_on(services, request, std::move(listing));
    }
    request->json(200, listing->list.finish(page->more ? std::to_string(page->scanned_to) : ""));
  });
}

void list_changes(Services& services, const RequestPtr& request) {
  constexpr Duration kPatience = std::chrono::seconds(2);
  DROVER_OR_FAIL(request, ListingPtr listing, listing_of(*request, services.model));
  listing->until = services.executor.now() + kPatience;
  read_on(services, request, std::move(listing));
}

}  // namespace

void add_changes(Router& router, Services& services, WatchHub& hub) {
  router.add(
      {.method = "GET",
       .path = "/api/v1/changes",
       .privilege = auth::Privilege::view,
       .summary = "List the change log.",
       .query = {{"since", "Only changes behind this sequence, or from this time (RFC 3339)."},
                 {"until", "Only changes up to this sequence, or before this time."},
                 {"limit", "Most items of a page; 1000 when absent.", true, 1, kMaxChanges},
                 {"page", "A next_page of this list."},
                 {.name = "order",
                  .doc = "Which come first; oldest when absent.",
                  .choices = {"oldest", "newest"}},
                 {"kind", "Only things of this kind: node, part, daemon .."},
                 {"key",
                  "Only the thing of this key; needs kind. A node's history has its "
                  "former names too."},
                 {"actor", "Only changes by this name, or actors like this text with *."},
                 {"nodes",
                  "Only changes of the nodes of this noderange, of their parts and "
                  "certificates."}},
       .gives = list_of<ChangeView>(),
       .errors = {Code::too_old, Code::not_found},
       .sortable = false,
       .handler = [&services](const RequestPtr& r) { list_changes(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/watch",
              .privilege = auth::Privilege::view,
              .summary = "Follow the change log: events change, bookmark and problem.",
              .query = {{"since", "Start behind this sequence; absent: from now on.", true},
                        {"kind", "Only things of this kind, or of these, separated by commas."},
                        {"key", "Only the thing of this key; needs one kind."},
                        {"nodes",
                         "Only changes of the nodes of this noderange as it is then, of "
                         "their parts and certificates."}},
              .gives = body_of<ChangeView>(),
              .content_type = "text/event-stream",
              .errors = {Code::too_old, Code::not_found},
              .handler = [&hub](const RequestPtr& r) { hub.watch(r); }});
}

}  // namespace drover::api
