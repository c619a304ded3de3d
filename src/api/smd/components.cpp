// Reads of SMD's /State/Components.
#include "api/smd/component_filter.hpp"
#include "api/smd/component_forms.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/smd.hpp"
#include "api/whole_number.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

Error no_xname() {
  return missing("no such xname.");
}

void answer_row(const RequestPtr& request, const std::optional<ComponentRow>& row,
                const Error& error) {
  if (!row) return request->fail(error);
  std::string out;
  append_json(out, *row, RowView::whole);
  request->json(200, std::move(out));
}

/// Rows as they pass a filter.
class Listing {
 public:
  Listing(const cluster::Model& model, ComponentFilter filter) : filter_(std::move(filter)) {
    filter_.look_at(model);
  }
  void reserve(size_t rows) {
    constexpr size_t kUsualRow = 160;
    out_.reserve(rows * kUsualRow);
  }
  void offer(const ComponentRow& row) {
    if (!filter_.accepts(row)) return;
    if (out_.back() != '[') out_ += ',';
    append_json(out_, row, filter_.view());
  }
  [[nodiscard]] const ComponentFilter& filter() const { return filter_; }
  std::string finish() && { return std::move(out_) + "]}"; }

 private:
  ComponentFilter filter_;
  std::string out_ = R"({"Components":[)";
};

void list(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, ComponentFilter filter, ComponentFilter::of(query));
  Listing listing(services.model, std::move(filter));
  const auto rows = ComponentRows(services.model).all();
  listing.reserve(rows.size());
  for (const ComponentRow& row : rows) listing.offer(row);
  request->json(200, std::move(listing).finish());
}

void show(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail(no_xname());
  answer_row(request, ComponentRows(services.model).find(xname->text), no_xname());
}

void show_nid(Services& services, const RequestPtr& request) {
  const auto nid = whole_number<uint64_t>(request->path("nid"));
  if (!nid) {
    return request->fail(
        {Code::invalid_argument, "a required argument was not an integer", {}, {}});
  }
  answer_row(request, ComponentRows(services.model).find_nid(*nid), missing("no such NID."));
}

/// Those of the xnames, and with a filter by type what lies below them.
void answer_xnames(Services& services, const RequestPtr& request,
                   const std::vector<std::string>& ids, ComponentFilter filter) {
  std::vector<std::string> xnames;
  for (const std::string& id : ids) {
    auto parsed = cluster::parse_xname(id);
    if (!parsed) return request->fail({Code::invalid_argument, "invalid xname ID", {}, {}});
    xnames.push_back(std::move(parsed->text));
  }
  Listing listing(services.model, std::move(filter));
  ComponentRows rows(services.model);
  const bool below = listing.filter().has_type() || std::ranges::any_of(xnames, [](const auto& x) {
                       return x == "s0" || x == "all";
                     });
  if (!below) {
    std::ranges::sort(xnames, NaturalLess());
    const auto twice = std::ranges::unique(xnames);
    xnames.erase(twice.begin(), twice.end());
    for (const std::string& xname : xnames) {
      if (const auto row = rows.find(xname)) listing.offer(*row);
    }
    return request->json(200, std::move(listing).finish());
  }
  for (const ComponentRow& row : rows.all()) {
    const bool wanted = std::ranges::any_of(
        xnames, [&](const std::string& xname) { return cluster::lies_in(row.id, xname); });
    if (wanted) listing.offer(row);
  }
  request->json(200, std::move(listing).finish());
}

void query_one(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, ComponentFilter filter, ComponentFilter::of(query));
  answer_xnames(services, request, {request->path("xname")}, std::move(filter));
}

void query_many(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members members(*body);
  const auto ids = members.texts("ComponentIDs");
  if (!members.wrong().empty()) return refuse_malformed(services, request, members.wrong());
  DROVER_OR_FAIL(request, const Query query, ComponentFilter::query_of_body(*body));
  DROVER_OR_FAIL(request, ComponentFilter filter, ComponentFilter::of(query));
  if (!ids || ids->empty()) {
    return request->fail({Code::invalid_argument, "Missing IDs", {}, {}});
  }
  answer_xnames(services, request, *ids, std::move(filter));
}

void query_nids(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  Members members(*body);
  const auto ranges = members.texts("NIDRanges");
  if (!members.wrong().empty()) return refuse_malformed(services, request, members.wrong());
  DROVER_OR_FAIL(request, const Query query, ComponentFilter::query_of_body(*body));
  DROVER_OR_FAIL(request, ComponentFilter filter, ComponentFilter::of(query));
  if (!ranges || ranges->empty()) {
    return request->fail({Code::invalid_argument, "Missing NID ranges", {}, {}});
  }
  std::vector<std::pair<uint64_t, uint64_t>> wanted;
  for (const std::string& range : *ranges) {
    DROVER_OR_FAIL(request, const auto bounds, nid_range(range));
    wanted.push_back(bounds);
  }
  Listing listing(services.model, std::move(filter));
  for (const ComponentRow& row : ComponentRows(services.model).all()) {
    const bool inside = row.nid != 0 && std::ranges::any_of(wanted, [&](const auto& range) {
                          return row.nid >= range.first && row.nid <= range.second;
                        });
    if (inside) listing.offer(row);
  }
  request->json(200, std::move(listing).finish());
}

std::vector<QueryParameter> filters() {
  return {{.name = "id", .doc = "Only these xnames."},
          {.name = "type",
           .doc = "Only these types; like all filters repeated for alternatives, "
                  "with ! before what is not wanted.",
           .example = "Node"},
          {.name = "state", .doc = "Only these states."},
          {.name = "flag", .doc = "Only these flags."},
          {.name = "enabled", .doc = "Only what is enabled, or is not."},
          {.name = "softwarestatus", .doc = "Only these software states."},
          {.name = "role", .doc = "Only these roles."},
          {.name = "subrole", .doc = "Only these finer roles."},
          {.name = "subtype", .doc = "Only these finer types."},
          {.name = "arch", .doc = "Only these architectures."},
          {.name = "class", .doc = "Only these kinds of cabinets."},
          {.name = "nid", .doc = "Only these numbers."},
          {.name = "nid_start", .doc = "Only numbers from here."},
          {.name = "nid_end", .doc = "Only numbers up to here."},
          {.name = "group", .doc = "Only members of these groups."},
          {.name = "partition", .doc = "Only members of these partitions; NULL: of none."},
          {.name = "locked", .doc = "Only what is locked, or is not."},
          {.name = "reservation_disabled", .doc = "Only what cannot be reserved, or can."},
          {.name = "stateonly", .doc = "true: give state and flag alone."},
          {.name = "flagonly", .doc = "true: give the flag alone."},
          {.name = "roleonly", .doc = "true: give the roles alone."},
          {.name = "nidonly", .doc = "true: give the number alone."}};
}

}  // namespace

void add_components(Router& router, Services& services) {
  router.add(
      {.method = "GET",
       .path = "/hsm/v2/State/Components",
       .privilege = auth::Privilege::view,
       .summary = "SMD: list components; to anyone where smd.open_reads says so.",
       .query = filters(),
       .gives = body_of<ComponentArray>(),
       .errors = {Code::invalid_argument},
       .handler = [&services](const RequestPtr& r) { list(services, r); },
       .dialect = Dialect::smd,
       .open_when = [&services] { return services.model.settings().flag("smd.open_reads"); }});
  router.add({.method = "GET",
              .path = "/hsm/v2/State/Components/ByNID/{nid}",
              .privilege = auth::Privilege::view,
              .summary = "SMD: the component of a number.",
              .gives = body_of<ComponentForm>(),
              .errors = {Code::invalid_argument, Code::not_found},
              .handler = [&services](const RequestPtr& r) { show_nid(services, r); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = "/hsm/v2/State/Components/Query/{xname}",
              .privilege = auth::Privilege::view,
              .summary = "SMD: a component, or with a type what lies below it.",
              .query = filters(),
              .gives = body_of<ComponentArray>(),
              .errors = {Code::invalid_argument},
              .handler = [&services](const RequestPtr& r) { query_one(services, r); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = "/hsm/v2/State/Components/{xname}",
              .privilege = auth::Privilege::view,
              .summary = "SMD: one component.",
              .gives = body_of<ComponentForm>(),
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { show(services, r); },
              .dialect = Dialect::smd});
  const auto reads_by_post = [&](std::string_view path, std::string_view summary, auto handler) {
    router.add({.method = "POST",
                .path = path,
                .privilege = auth::Privilege::view,
                .summary = summary,
                .takes = body_of<ComponentQuery>(),
                .gives = body_of<ComponentArray>(),
                .on_nodes = true,
                .body_limit = kListLimit,
                .handler =
                    [&services, handler](const RequestPtr& r) {
                      (void)r->authorize_nodes({}, auth::NodeUse::run);  // it changes none
                      handler(services, r);
                    },
                .dialect = Dialect::smd});
  };
  reads_by_post("/hsm/v2/State/Components/Query", "SMD: components by xnames and filters.",
                &query_many);
  reads_by_post("/hsm/v2/State/Components/ByNID/Query", "SMD: components by ranges of numbers.",
                &query_nids);
}

}  // namespace drover::api::smd
