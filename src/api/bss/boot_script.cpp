// BSS's /bootscript on the master: the text that a boot daemon gives, made by the same code. Boot
// daemons serve machines; here it is for people and their clients, and a token of a boot, which a
// boot daemon alone gives, is not in it.
#include "api/bss/bss.hpp"
#include "api/bss/entries.hpp"
#include "api/bss/forms.hpp"
#include "api/problem.hpp"
#include "api/smd/manners.hpp"
#include "boot/site/given.hpp"
#include "boot/site/plan.hpp"
#include "boot/site/site.hpp"

#include <charconv>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace drover::api::bss {
namespace {

using smd::Query;

constexpr std::string_view kToken = "TOKEN";
constexpr std::string_view kCa = "CA";

std::string first(const Query& query, const char* name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second.front();
}

/// "manager:9443" and "[fd00::1]:9443" without the port.
std::string host_of(std::string_view text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  const bool port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return std::string(port ? text.substr(0, colon) : text);
}

struct Wanted {
  boot::ScriptRequest request;
  std::string mac, name, nid, arch, server;  ///< what `request` refers to
  bool json = false;
};

void fill(Wanted& out, const Query& query, const RequestPtr& request) {
  out.mac = first(query, "mac");
  out.name = first(query, "name");
  out.nid = first(query, "nid");
  out.arch = first(query, "arch");
  out.json = first(query, "json") == "1";
  out.server = host_of(request->http().headers.get("Host").value_or("SERVER"));
  const std::string retry = first(query, "retry");
  std::from_chars(retry.data(), retry.data() + retry.size(), out.request.tries);
  out.request.mac = out.mac;
  out.request.name = out.name;
  out.request.nid = out.nid;
  out.request.arch = out.arch;
  out.request.server = out.server;
  out.request.token = kToken;
}

/// {params, kernel{path}, initrd{path}}
std::string as_json(const boot::BootPlan& plan, const boot::SiteOptions& options,
                    const boot::script::LateValues& late) {
  const auto values = boot::template_values(plan, options);
  const auto finished = [&](const std::string& text) {
    return boot::script::LateText(text).render(late);
  };
  const auto kernel = values.all.find("kernel.url");
  std::string out = R"({"params":)";
  smd::append_quoted(out, finished(plan.args));
  out += R"(,"kernel":{"path":)";
  smd::append_quoted(out, kernel == values.all.end() ? "" : finished(kernel->second));
  out += R"(},"initrd":{"path":)";
  smd::append_quoted(
      out, values.initrds.empty() ? "" : finished(values.initrds.front().at("initrd.url")));
  return out + "}}";
}

void give_text(const RequestPtr& request, std::string text) {
  net::HttpResponse response;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(text);
  request->respond(std::move(response));
}

void not_configured(const RequestPtr& request, std::string_view who) {
  request->fail(smd::missing(fmt::format("{} is not configured for booting", who)));
}

/// Of a machine that no node is known by.
void give_stranger(Services& services, const RequestPtr& request, const Wanted& wanted,
                   std::string_view mac) {
  const boot::SiteOptions options;
  const auto given = boot::guest_script(services.model, options, wanted.request, mac);
  const bool strict = smd::is_strict(services) && !wanted.arch.empty();
  if (!given && (strict || wanted.json)) return not_configured(request, "the machine");
  const boot::script::LateValues late{.server = wanted.server,
                                      .token = kToken,
                                      .source = {},
                                      .mac = mac,
                                      .tries = wanted.request.tries};
  give_text(request,
            boot::stranger_script(services.model, options, wanted.request, mac).render(late));
}

void give_node(Services& services, const RequestPtr& request, const Wanted& wanted,
               const cluster::Node& node) {
  boot::SiteOptions options;
  options.ca_sha256 = kCa;
  const boot::ModelImages images(services.model);
  const boot::NodeBoot found = boot::explain_boot(services.model, images, options, node, {});
  const boot::script::LateValues late{.server = wanted.server,
                                      .token = kToken,
                                      .source = {},
                                      .mac = found.mac,
                                      .tries = wanted.request.tries};
  if (!wanted.json) return give_text(request, found.script.render(late));
  if (!found.plan) return request->fail(smd::missing(found.plan.error().text()));
  request->json(200, as_json(*found.plan, options, late));
}

void script(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, smd::query_of(*request));
  Wanted wanted;
  fill(wanted, query, request);
  Key key{KeyKind::mac, wanted.mac};
  if (key.text.empty()) key = {KeyKind::host, wanted.name};
  if (key.text.empty()) key = {KeyKind::nid, wanted.nid};
  if (key.text.empty()) {
    return request->fail({Code::invalid_argument, "Need a mac=, name=, or nid= parameter", {}, {}});
  }
  Owners owners(services.model);
  const auto owner = owners.of(key);
  if (!owner && key.kind != KeyKind::host) return request->fail(owner.error());
  if (!owner || owner->source != cluster::AttributeSource::node) {
    return give_stranger(services, request, wanted,
                         key.kind == KeyKind::mac ? std::string_view(owner->key.text) : "");
  }
  const cluster::NodeEntry* entry = services.model.find(owner->name);
  if (entry == nullptr) return not_configured(request, key.text);
  give_node(services, request, wanted, entry->node());
}

}  // namespace

void add_boot_script(Router& router, Services& services) {
  router.add(
      {.method = "GET",
       .path = "/boot/v1/bootscript",
       .privilege = auth::Privilege::view,
       .summary = "BSS: the script that a boot daemon gives to a machine, without its token.",
       .query = {{.name = "mac", .doc = "A MAC of the machine."},
                 {.name = "name", .doc = "Else its xname or name."},
                 {.name = "nid", .doc = "Else its number."},
                 {.name = "arch", .doc = "Its architecture, as iPXE's ${buildarch} says it."},
                 {.name = "retry", .doc = "How often it has tried before."},
                 {.name = "ts", .doc = "Not looked at."},
                 {.name = "json", .doc = "1: kernel, initrd and params in place of a script."}},
       .gives = text_body(),
       .content_type = "text/plain",
       .errors = {Code::invalid_argument, Code::not_found},
       .handler = [&services](const RequestPtr& request) { script(services, request); },
       .dialect = Dialect::smd,
       .open_when = [&services] { return services.model.settings().flag("smd.open_reads"); }});
}

}  // namespace drover::api::bss
