// Changes of many nodes: one mutation, and an outcome for each of them.
#include "api/native/node_bulk.hpp"

#include "api/bulk_result.hpp"
#include "api/native/changing.hpp"
#include "api/native/node_changes.hpp"
#include "api/node_selection.hpp"

#include <set>

#include <fmt/format.h>

namespace drover::api {
namespace {

/// Whether an error is about the one node; any other ends the whole mutation, since it comes from
/// the store.
bool is_of_one(Code code) {
  switch (code) {
    case Code::invalid_argument:
    case Code::not_found:
    case Code::already_exists:
    case Code::conflict:
    case Code::denied:
    case Code::stale:
      return true;
    default:
      return false;
  }
}

}  // namespace

void change_each(Services& services, const RequestPtr& request, std::vector<std::string> names,
                 ForOne for_one, int good_status) {
  if (const Status allowed = request->authorize_nodes(names); !allowed) {
    return request->fail(allowed.error());
  }
  change(services, request,
         [names = std::move(names), for_one = std::move(for_one), dry = is_dry_run(request),
          good_status](store::Transaction& tx) mutable -> Result<Reply> {
           BulkResult outcome;
           cluster::DefinitionWriter writer(tx);
           for (size_t i = 0; i < names.size(); ++i) {
             const Result<bool> changed = for_one(tx, writer, names[i], i);
             if (changed) {
               *changed ? outcome.done(names[i], good_status) : outcome.unchanged(names[i]);
             } else if (is_of_one(changed.error().code)) {
               outcome.failed(names[i], changed.error());
             } else {
               return tl::unexpected<Error>(changed.error());
             }
           }
           DROVER_CHECK_OK(writer.finish());
           const BulkView view = outcome.view(dry);
           return Reply{http_status(view), encode(view), ""};
         });
}

Result<std::vector<std::string>> asked_nodes(Services& services, const RequestPtr& request) {
  const auto range = request->query("nodes");
  if (!range) {
    return fail(Code::invalid_argument,
                "query parameter nodes is required: which nodes are meant (* for all)");
  }
  return evaluate(*range, cluster::ModelNames(services.model));
}

void add_many(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, cluster::NodeCreate asked, change_body<cluster::NodeCreate>(request));
  DROVER_OR_FAIL(request, asked.spec, asked.edited_spec());
  DROVER_OR_FAIL(request, std::vector<std::string> names,
                 expand_names(request->query("nodes").value_or("")));
  if (names.empty() || !asked.name.empty()) {
    return request->fail({Code::invalid_argument,
                          names.empty() ? "query parameter nodes: names no node"
                                        : "name: not with nodes= in the query",
                          "", ""});
  }
  constexpr size_t kIdBytes = 16;
  std::vector<std::string> ids;
  ids.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) ids.push_back(services.random.hex(kIdBytes));
  change_each(
      services, request, std::move(names),
      [asked = std::move(asked), ids = std::move(ids)](
          store::Transaction& tx, cluster::DefinitionWriter& writer, const std::string& name,
          size_t index) -> Result<bool> {
        tx.explain(asked.why);
        DROVER_CHECK_OK(writer.add_node(name, asked.role, asked.spec, ids[index]));
        return true;
      },
      201);
}

void change_many(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, cluster::NodePatch patch, change_body<cluster::NodePatch>(request));
  DROVER_OR_FAIL(request, cluster::NodeChange asked, cluster::NodeChange::of(std::move(patch)));
  DROVER_OR_FAIL(request, std::vector<std::string> names, asked_nodes(services, request));
  change_each(services, request, std::move(names),
              [asked = std::move(asked), define = may_define(request)](
                  store::Transaction& tx, cluster::DefinitionWriter& writer,
                  const std::string& name, size_t) -> Result<bool> {
                DROVER_TRY(const cluster::ChangedNode after, asked.make(tx, writer, name, define));
                return after.changed;
              });
}

void remove_many(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, std::vector<std::string> names, asked_nodes(services, request));
  std::set<std::string> up;
  for (const std::string& name : names) {
    const cluster::NodeEntry* entry = services.model.find(name);
    const bool heard = entry != nullptr && entry->confirmed &&
                       entry->node().phase.state == cluster::PhaseState::up;
    if (heard) up.insert(name);
  }
  change_each(services, request, std::move(names),
              [up = std::move(up), force = is_forced(request), why = std::move(why)](
                  store::Transaction& tx, cluster::DefinitionWriter& writer,
                  const std::string& name, size_t) -> Result<bool> {
                tx.explain(why);
                DROVER_CHECK_OK(remove_node(tx, writer, name, up.contains(name), force));
                return true;
              });
}

}  // namespace drover::api
