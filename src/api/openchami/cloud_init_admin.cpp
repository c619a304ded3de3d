// OpenCHAMI's /cloud-init/admin: cluster defaults, instance information, groups, and what a node
// would be told. Views of the one model; statuses and bodies as its server has them.
#include "api/native/changing.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "api/openchami/cloud_init_forms.hpp"
#include "api/openchami/cloud_init_service.hpp"
#include "api/problem.hpp"
#include "boot/cloudinit/node_documents.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace drover::api {
namespace {

using cluster::CloudInit;

constexpr std::string_view kDefaults = "profile/default";
constexpr std::string_view kYaml = ".yaml";
/// Where no base-url is set, the boot daemon that a node asks puts its own address here.
constexpr std::string_view kNoBase = "http://boot-daemon/cloud-init";

const CloudInit* kept_of(const Services& services, std::string_view owner) {
  const auto& all = services.model.cloud_inits();
  const auto found = all.find(std::string(owner));
  return found == all.end() ? nullptr : &found->second.value;
}

Result<CloudInit> content_now(store::Transaction& tx, std::string_view owner) {
  DROVER_TRY(const auto object, tx.get(cluster::kCloudInitKind, std::string(owner)));
  if (object) return decode_text<CloudInit>(object->body, Unknown::ignore);
  CloudInit blank;
  blank.name = owner;
  return blank;
}

/// A node by its name or alias: OpenCHAMI's ids are xnames, which are aliases here.
Result<const cluster::NodeEntry*> node_called(const Services& services, const std::string& id) {
  const auto node = cluster::ModelNames(services.model).node_of_alias(id);
  return find_node(services.model, node.value_or(id));
}

void refuse_body(const RequestPtr& request, const Error& error) {
  const CodeInfo& code = info(Code::invalid_argument);
  request->respond(problem_response(kUnprocessable, code.name, code.title, error.text()));
}

void respond_text(const RequestPtr& request, std::string_view type, std::string text) {
  net::HttpResponse response;
  response.headers.add("Content-Type", std::string(type));
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(text);
  request->respond(std::move(response));
}

// --- cluster defaults ---

void show_defaults(Services& services, const RequestPtr& request) {
  request->json(200, defaults_text(kept_of(services, kDefaults)));
}

/// Content needs its owner; nobody has to make the profile `default` first.
Status ensure_default_profile(store::Transaction& tx) {
  DROVER_TRY(const auto there,
             tx.get(cluster::kProfileKind, std::string(cluster::kDefaultProfile)));
  if (there) return {};
  cluster::DefinitionWriter writer(tx);
  cluster::Profile profile;
  profile.name = cluster::kDefaultProfile;
  DROVER_CHECK_OK(writer.put_profile(profile));
  return writer.finish();
}

void merge_into_defaults(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const OpenChamiDefaults given, request->body<OpenChamiDefaults>());
  change(services, request, [given, why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
    DROVER_TRY(CloudInit content, content_now(tx, kDefaults));
    DROVER_CHECK_OK(merge_defaults(given, content));
    tx.explain(why);
    DROVER_CHECK_OK(ensure_default_profile(tx));
    DROVER_CHECK_OK(cluster::put_content(tx, std::move(content)));
    return Reply{201, "", ""};
  });
}

// --- instance information ---

void put_instance(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const OpenChamiInstance given, request->body<OpenChamiInstance>());
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 node_called(services, request->path("node")));
  change(services, request,
         [given, id = request->path("node"), name = entry->node().name,
          instance = "i-" + entry->node().id,
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_TRY(CloudInit content, content_now(tx, "node/" + name));
           DROVER_CHECK_OK(replace_instance(given, id, instance, content));
           tx.explain(why);
           DROVER_CHECK_OK(cluster::put_content(tx, std::move(content)));
           return Reply{201, "", ""};
         });
}

// --- groups ---

std::string description_of(const Services& services, const std::string& group) {
  const auto found = services.model.groups().find(group);
  return found == services.model.groups().end() ? std::string() : found->second.value.description;
}

std::string owner_of(const std::string& group) {
  return "group/" + group;
}

Error no_group(const std::string& name) {
  return {Code::not_found, fmt::format("cloud-init knows of no group '{}'", name), {}, {}};
}

void list_groups(Services& services, const RequestPtr& request) {
  constexpr std::string_view kPrefix = "group/";
  std::string out = "{";
  for (const auto& [owner, kept] : services.model.cloud_inits()) {
    if (!owner.starts_with(kPrefix)) continue;
    const std::string name = owner.substr(kPrefix.size());
    out += fmt::format("{}\"{}\":{}", out.size() > 1 ? "," : "", name,
                       group_text(kept.value, description_of(services, name)));
  }
  request->json(200, out + "}");
}

void show_group(Services& services, const RequestPtr& request) {
  const std::string& name = request->path("name");
  const CloudInit* const kept = kept_of(services, owner_of(name));
  if (kept == nullptr) return request->fail(no_group(name));
  request->json(200, group_text(*kept, description_of(services, name)));
}

/// Cloud-init's group is the model's: one that is not there is made, without members, since its
/// clients say the two in any order.
Status ensure_group(store::Transaction& tx, const std::string& name,
                    const std::optional<std::string>& description) {
  if (cluster::is_built_in_group(name)) {
    if (!description || description->empty()) return {};
    return fail(Code::conflict,
                fmt::format("the group '{}' is always there and has no description", name));
  }
  DROVER_TRY(const auto there, tx.get(cluster::kGroupKind, name));
  cluster::DefinitionWriter writer(tx);
  cluster::Group group;
  group.name = name;
  if (there) {
    DROVER_TRY(group, writer.group(name));
  }
  const bool says = description && !description->empty() && *description != group.description;
  if (there && !says) return {};
  if (says) group.description = *description;
  DROVER_CHECK_OK(writer.put_group(group));
  return writer.finish();
}

/// The body, checked on its own.
Result<OpenChamiGroup> group_body(const RequestPtr& request) {
  DROVER_TRY(OpenChamiGroup given, request->body<OpenChamiGroup>());
  DROVER_CHECK_OK(cluster::check_set_name("name", given.name));
  CloudInit trial;
  trial.name = owner_of(given.name);
  DROVER_CHECK_OK(replace_group(given, trial));
  return given;
}

Result<Reply> write_group(store::Transaction& tx, const OpenChamiGroup& given, CloudInit content) {
  DROVER_CHECK_OK(replace_group(given, content));
  DROVER_CHECK_OK(ensure_group(tx, given.name, given.description));
  DROVER_CHECK_OK(cluster::put_content(tx, std::move(content)));
  return Reply{201, "", "", "/cloud-init/admin/groups/" + given.name};
}

void add_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  auto given = group_body(request);
  if (!given) return refuse_body(request, given.error());
  change(
      services, request,
      [given = *std::move(given), why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
        DROVER_TRY(const auto there, tx.get(cluster::kCloudInitKind, owner_of(given.name)));
        if (there) {
          return fail(Code::already_exists,
                      fmt::format("cloud-init knows of a group '{}' already", given.name),
                      fmt::format("PUT /cloud-init/admin/groups/{} replaces it", given.name));
        }
        tx.explain(why);
        CloudInit blank;
        blank.name = owner_of(given.name);
        return write_group(tx, given, std::move(blank));
      });
}

void put_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  auto given = group_body(request);
  if (!given) return refuse_body(request, given.error());
  if (given->name != request->path("name")) {
    return refuse_body(request,
                       {Code::invalid_argument, "name: another one than that of the path", {}, {}});
  }
  change(
      services, request,
      [given = *std::move(given), why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
        tx.explain(why);
        DROVER_TRY(CloudInit content, content_now(tx, owner_of(given.name)));
        return write_group(tx, given, std::move(content));
      });
}

void remove_group(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  change(services, request,
         [name = request->path("name"),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(why);
           DROVER_TRY(const bool there,
                      cluster::erase_content(tx, cluster::kCloudInitKind, owner_of(name)));
           if (!there) return tl::unexpected<Error>(no_group(name));
           return Reply{200, "", ""};
         });
}

// --- impersonation ---

void show_as_node(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 node_called(services, request->path("node")));
  const std::string& document = request->path("document");
  if (document.ends_with(kYaml)) {
    const std::string group = document.substr(0, document.size() - kYaml.size());
    DROVER_OR_FAIL(request, std::string text,
                   boot::cloudinit::group_file(services.model, entry->node(), group));
    return respond_text(request, "text/plain", std::move(text));
  }
  const boot::NetworkIndex networks(services.model.networks());
  DROVER_OR_FAIL(request, auto documents,
                 boot::cloudinit::openchami_documents_of(services.model, networks, entry->node(),
                                                         services.local.local().cluster, kNoBase));
  if (document == "meta-data") {
    return respond_text(request, "application/x-yaml", std::move(documents.meta_data));
  }
  if (document == "user-data") {
    return respond_text(request, "text/plain", std::move(documents.user_data));
  }
  if (document == "vendor-data") {
    return respond_text(request, "text/plain", std::move(documents.vendor_data));
  }
  request->fail({Code::not_found,
                 fmt::format("there is no document '{}'", printable(document)),
                 {},
                 "meta-data, user-data, vendor-data or GROUP.yaml"});
}

void add_group_routes(Router& router, Services& services) {
  const std::string_view all = "/cloud-init/admin/groups";
  const std::string_view one = "/cloud-init/admin/groups/{name}";
  router.add({.method = "GET",
              .path = all,
              .privilege = auth::Privilege::view,
              .summary = "OpenCHAMI: the groups that cloud-init knows of, by name.",
              .gives = map_of<OpenChamiGroup>(),
              .handler = [&services](const RequestPtr& r) { list_groups(services, r); }});
  router.add({.method = "POST",
              .path = all,
              .privilege = auth::Privilege::administer,
              .summary = "OpenCHAMI: say what a group's nodes are told; makes the group too.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<OpenChamiGroup>(),
              .status = 201,
              .errors = {Code::already_exists},
              .location = true,
              .handler = [&services](const RequestPtr& r) { add_group(services, r); },
              .unprocessable = true});
  router.add({.method = "GET",
              .path = one,
              .privilege = auth::Privilege::view,
              .summary = "OpenCHAMI: what a group's nodes are told.",
              .gives = body_of<OpenChamiGroup>(),
              .handler = [&services](const RequestPtr& r) { show_group(services, r); }});
  router.add({.method = "PUT",
              .path = one,
              .privilege = auth::Privilege::administer,
              .summary = "OpenCHAMI: replace what a group's nodes are told; makes the group too.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<OpenChamiGroup>(),
              .status = 201,
              .location = true,
              .handler = [&services](const RequestPtr& r) { put_group(services, r); },
              .unprocessable = true});
  router.add({.method = "DELETE",
              .path = one,
              .privilege = auth::Privilege::administer,
              .summary = "OpenCHAMI: take back what a group's nodes are told, secrets included.",
              .query = {dry_run_parameter(), why_parameter()},
              .status = 200,
              .handler = [&services](const RequestPtr& r) { remove_group(services, r); }});
}

}  // namespace

void add_openchami_cloud_init(Router& router, Services& services) {
  add_openchami_service(router, services.local);
  const std::string_view defaults = "/cloud-init/admin/cluster-defaults";
  router.add({.method = "GET",
              .path = defaults,
              .privilege = auth::Privilege::view,
              .summary = "OpenCHAMI: what all nodes are told, unless something stronger says so.",
              .gives = body_of<OpenChamiDefaults>(),
              .handler = [&services](const RequestPtr& r) { show_defaults(services, r); }});
  router.add({.method = "POST",
              .path = defaults,
              .privilege = auth::Privilege::administer,
              .summary = "OpenCHAMI: set what all nodes are told; what is not said stays.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<OpenChamiDefaults>(),
              .status = 201,
              .handler = [&services](const RequestPtr& r) { merge_into_defaults(services, r); }});
  router.add({.method = "PUT",
              .path = "/cloud-init/admin/instance-info/{node}",
              .privilege = auth::Privilege::administer,
              .summary = "OpenCHAMI: set what one node is told.",
              .query = {dry_run_parameter(), why_parameter()},
              .takes = body_of<OpenChamiInstance>(),
              .status = 201,
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { put_instance(services, r); }});
  add_group_routes(router, services);
  router.add({.method = "GET",
              .path = "/cloud-init/admin/impersonation/{node}/{document}",
              .privilege = auth::Privilege::view,
              .summary = "OpenCHAMI: a document as a node would get it: meta-data, user-data, "
                         "vendor-data or GROUP.yaml.",
              .gives = text_body(),
              .content_type = "text/plain",
              .also = {{.status = 200,
                        .gives = text_body(),
                        .content_type = "application/x-yaml",
                        .doc = "The meta-data."}},
              .handler = [&services](const RequestPtr& r) { show_as_node(services, r); }});
}

}  // namespace drover::api
