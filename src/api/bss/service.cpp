// BSS's view of the nodes (/hosts, /dumpstate, /endpoint-history) and of itself (/service).
#include "api/bss/bss.hpp"
#include "api/bss/entries.hpp"
#include "api/bss/forms.hpp"
#include "api/smd/component_rows.hpp"
#include "api/smd/interface_rows.hpp"
#include "api/smd/manners.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace drover::api::bss {
namespace {

using smd::Query;

/// MACs by the name of their node.
std::multimap<std::string, std::string> macs_by_node(const cluster::Model& model) {
  std::multimap<std::string, std::string> out;
  for (const auto& [id, row] : smd::interface_rows(model)) {
    if (!row.node.empty() && !row.of_bmc) out.emplace(row.node, row.mac);
  }
  return out;
}

/// A component of the State Manager's, with BSS's members behind its own.
std::string host_text(const smd::ComponentRow& row,
                      const std::multimap<std::string, std::string>& macs) {
  std::string out;
  smd::append_json(out, row, smd::RowView::whole);
  out.pop_back();
  const std::string& name = row.node->node().name;
  out += R"(,"FQDN":)";
  smd::append_quoted(out, name);
  out += R"(,"MAC":[)";
  const auto [from, to] = macs.equal_range(name);
  for (auto it = from; it != to; ++it) {
    if (out.back() != '[') out += ',';
    smd::append_quoted(out, it->second);
  }
  return out + R"(],"EndpointEnabled":true})";
}

std::string hosts_text(const cluster::Model& model, const std::set<std::string>* only) {
  const auto macs = macs_by_node(model);
  std::string out = "[";
  for (const smd::ComponentRow& row : smd::ComponentRows(model).all()) {
    if (row.node == nullptr) continue;
    if (only != nullptr && !only->contains(row.node->node().name)) continue;
    if (out.size() > 1) out += ',';
    out += host_text(row, macs);
  }
  return out + "]";
}

void hosts(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, smd::query_of(*request));
  Owners owners(services.model);
  std::set<std::string> only;
  bool asked = false;
  for (const auto& [name, kind] :
       {std::pair{"mac", KeyKind::mac}, {"name", KeyKind::host}, {"nid", KeyKind::nid}}) {
    const auto found = query.find(name);
    if (found == query.end() || asked) continue;
    asked = true;
    const auto owner = owners.of({kind, found->second.front()});
    if (owner && owner->source == cluster::AttributeSource::node) only.insert(owner->name);
  }
  if (asked && only.empty()) return request->fail(smd::missing("no such host"));
  request->json(200, hosts_text(services.model, asked ? &only : nullptr));
}

void dump(Services& services, const RequestPtr& request) {
  std::string out = R"({"Components":)" + hosts_text(services.model, nullptr);
  out += R"(,"Params":)" + entries_text(all_entries(services.model));
  request->json(200, out + "}");
}

/// When each node was given its script, as far as that is known: of boots that are under way or
/// were the last thing heard of it.
void history(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, smd::query_of(*request));
  const auto wanted = query.find("name");
  const auto endpoint = query.find("endpoint");
  std::string out = "[";
  for (const auto& [name, entry] : services.model.nodes()) {
    const cluster::Node& node = entry.node();
    if (node.phase.state != cluster::PhaseState::loader) continue;
    if (endpoint != query.end() && endpoint->second.front() != "bootscript") continue;
    const std::string xname = cluster::xname_of(node);
    if (wanted != query.end() && wanted->second.front() != xname &&
        wanted->second.front() != name) {
      continue;
    }
    if (out.size() > 1) out += ',';
    out += R"({"name":)";
    smd::append_quoted(out, xname);
    out += fmt::format(R"(,"endpoint":"bootscript","last_epoch":{}}})",
                       to_unix_ms(node.phase.since) / 1000);
  }
  request->json(200, out + "]");
}

struct Part {
  std::string_view path;
  std::string_view summary;
  bool status, version, hsm, storage;
};
constexpr std::array kParts{
    Part{"/boot/v1/service/status", "BSS: whether it runs.", true, false, false, false},
    Part{"/boot/v1/service/status/all", "BSS: all of that.", true, true, true, true},
    Part{"/boot/v1/service/hsm", "BSS: whether it has the State Manager.", false, false, true,
         false},
    Part{"/boot/v1/service/version", "BSS: the version.", false, true, false, false},
    Part{"/boot/v1/service/storage/status", "BSS: where it keeps what it is told.", false, false,
         false, true},
};

std::string status_text(const Part& part, std::string_view version) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{}\"{}\":", out.empty() ? "" : ",", name);
    smd::append_quoted(out, value);
  };
  if (part.version) add("bss-version", version);
  if (part.status) add("bss-status", "running");
  if (part.hsm) add("bss-status-hsm", "connected");
  if (part.storage) {
    out += fmt::format(R"({}"bss-storage-backend":{{"name":"drover","status":"connected"}})",
                       out.empty() ? "" : ",");
  }
  return "{" + out + "}";
}

void no_content(const RequestPtr& request, int status) {
  net::HttpResponse response;
  response.status = status;
  request->respond(std::move(response));
}

}  // namespace

void add_service(Router& router, Services& services) {
  const auto reads = [&](std::string_view path, std::string_view summary, BodyType gives,
                         void (*handler)(Services&, const RequestPtr&)) {
    Route out;
    out.method = "GET";
    out.path = path;
    out.summary = summary;
    out.gives = gives;
    out.dialect = Dialect::smd;
    out.handler = [&services, handler](const RequestPtr& request) { handler(services, request); };
    return out;
  };
  Route list = reads("/boot/v1/hosts", "BSS: the nodes that it knows.", array_of<Host>(), &hosts);
  list.query = {{.name = "mac", .doc = "The one with this MAC."},
                {.name = "name", .doc = "The one of this xname or name."},
                {.name = "nid", .doc = "The one of this number."}};
  list.errors = {Code::invalid_argument, Code::not_found};
  router.add(std::move(list));
  router.add({.method = "POST",
              .path = "/boot/v1/hosts",
              .privilege = auth::Privilege::view,
              .summary = "BSS: look at the nodes anew; they always are as they are.",
              .handler = [](const RequestPtr& request) { no_content(request, 204); },
              .dialect = Dialect::smd});
  router.add(reads("/boot/v1/dumpstate", "BSS: the nodes and all boot parameters.",
                   body_of<StateDump>(), &dump));
  Route accesses = reads("/boot/v1/endpoint-history", "BSS: when nodes were given their scripts.",
                         array_of<Access>(), &history);
  accesses.query = {{.name = "name", .doc = "Of this xname alone."},
                    {.name = "endpoint", .doc = "bootscript."}};
  accesses.errors = {Code::invalid_argument};
  router.add(std::move(accesses));
  router.add({.method = "POST",
              .path = "/boot/v1/scn",
              .privilege = auth::Privilege::operate,
              .summary = "BSS: takes a notification of the State Manager, which it does not need.",
              .status = 200,
              .handler = [](const RequestPtr& request) { no_content(request, 200); },
              .dialect = Dialect::smd});
  for (const Part& part : kParts) {
    Route route = reads(part.path, part.summary, body_of<ServiceStatus>(), nullptr);
    route.privilege = auth::Privilege::open;
    route.handler = [&services, part](const RequestPtr& request) {
      request->json(200, status_text(part, services.local.local().version));
    };
    router.add(std::move(route));
  }
}

}  // namespace drover::api::bss
