// GET /nodes/{name}/boot: what the node would get, and why. GET, POST and DELETE /boot-next: what
// nodes boot once.
#include "api/native/boot.hpp"

#include "api/bulk_result.hpp"
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/node_bulk.hpp"
#include "api/node_selection.hpp"
#include "boot/site/site.hpp"
#include "cluster/boot_next.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {
namespace {

/// What stands for what a boot service puts in: its address, the token of one boot, the cluster's
/// CA.
constexpr std::string_view kServer = "SERVER";
constexpr std::string_view kToken = "TOKEN";
constexpr std::string_view kCa = "CA";

/// The plan of a node's next boot.
struct BootView {
  static constexpr std::string_view kTypeName = "NodeBoot";
  std::string node;
  std::string problem;
  std::string fix;
  std::string from;
  std::string mode;
  std::string loader;
  std::string image;
  std::string digest;
  std::string interface;
  std::string mac;
  std::string network;
  std::string args;
  bool once = false;
  std::vector<boot::PlanValue> values;
  std::string script;
  void describe(Visitor& v) {
    v.field("node", node, "Name of the node.");
    v.field("problem", problem, "Why it cannot boot; empty: it can.");
    v.field("fix", fix, "What to do about that.");
    v.field("from", from, "network, or disk: its own.");
    v.field("mode", mode, "lean, image or disk; empty when it does not boot from the network.");
    v.field("loader", loader, "ipxe or grub: whose script this is.");
    v.field("image", image, "The image that it boots, as it is named.");
    v.field("digest", digest, "What that image is, by its content.");
    v.field("interface", interface, "The interface that it boots by.");
    v.field("mac", mac, "That interface's hardware address.");
    v.field("network", network, "The network that it is on.");
    v.field("args", args, "The kernel's command line.");
    v.field("once", once, "Whether an override for one boot decided some of it.");
    v.field("values", values, "Every value, and who says so.");
    v.field("script", script,
            "The script to the letter; SERVER, TOKEN and CA stand for the boot service's address, "
            "the token of one boot and the fingerprint of the cluster's CA.");
  }
};

struct BootNextRequest {
  static constexpr std::string_view kTypeName = "BootNextRequest";
  std::string image;
  std::string profile;
  std::optional<cluster::BootMode> mode;
  std::string why;
  void describe(Visitor& v) {
    v.field("image", image, "The image of that boot.", Presence::optional);
    v.field("profile", profile, "A profile that is stronger than all else in that boot.",
            Presence::optional);
    v.field("mode", mode, "How that boot runs.", Presence::optional);
    v.field("why", why, "Reason, for the change log.", Presence::optional);
  }
};

boot::script::LateValues late_values(const RequestPtr& request, std::string_view mac) {
  return {.server = request->query("server").value_or(kServer),
          .token = kToken,
          .source = {},
          .mac = mac,
          .tries = 0};
}

std::optional<boot::script::Loader> loader_of(const RequestPtr& request) {
  const auto asked = request->query("loader");
  if (!asked) return std::nullopt;
  return asked == "grub" ? boot::script::Loader::grub : boot::script::Loader::ipxe;
}

void fill(BootView& view, const boot::BootPlan& plan, const boot::script::LateValues& late) {
  const auto finished = [&](const std::string& text) {
    return boot::script::LateText(text).render(late);
  };
  view.from = enum_name(plan.from);
  if (plan.from == boot::BootFrom::network) {
    view.mode = enum_name(plan.mode);
    view.image = plan.image.name;
    view.digest = plan.image.digest;
    view.args = finished(plan.args);
  }
  view.interface = plan.interface;
  view.mac = plan.mac;
  view.network = plan.network;
  view.once = plan.once;
  view.values = plan.values;
  for (boot::PlanValue& value : view.values) value.value = finished(value.value);
}

void show_boot(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const cluster::NodeEntry* entry,
                 find_node(services.model, request->path("name")));
  boot::SiteOptions options;
  options.ca_sha256 = kCa;
  const boot::ModelImages images(services.model);
  const boot::NodeBoot found =
      boot::explain_boot(services.model, images, options, entry->node(), loader_of(request));
  BootView view;
  view.node = entry->node().name;
  view.loader = found.loader == boot::script::Loader::grub ? "grub" : "ipxe";
  const auto late = late_values(request, found.mac);
  if (found.plan) {
    fill(view, *found.plan, late);
  } else {
    view.problem = found.plan.error().text();
    view.fix = found.plan.error().next;
    view.mac = found.mac;
  }
  view.script = found.script.render(late);
  request->json(200, encode(view));
}

void list_next(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [name, next] : services.model.boot_nexts()) list.add(next);
  request->json(200, list.finish());
}

void set_next(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, BootNextRequest asked, change_body<BootNextRequest>(request));
  DROVER_OR_FAIL(request, std::vector<std::string> names, asked_nodes(services, request));
  if (!asked.image.empty()) {
    const boot::ModelImages images(services.model);
    DROVER_OR_FAIL(request, [[maybe_unused]] const boot::BootImage image, images.find(asked.image));
  }
  change_each(services, request, std::move(names),
              [asked = std::move(asked)](store::Transaction& tx, cluster::DefinitionWriter&,
                                         const std::string& name, size_t) -> Result<bool> {
                tx.explain(asked.why);
                DROVER_CHECK_OK(cluster::put_boot_next(tx, {.node = name,
                                                            .image = asked.image,
                                                            .profile = asked.profile,
                                                            .mode = asked.mode,
                                                            .asked = {}}));
                return true;
              });
}

void unset_next(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, std::vector<std::string> names, asked_nodes(services, request));
  change_each(services, request, std::move(names),
              [why = std::move(why)](store::Transaction& tx, cluster::DefinitionWriter&,
                                     const std::string& name, size_t) -> Result<bool> {
                tx.explain(why);
                return cluster::erase_boot_next(tx, name);
              });
}

}  // namespace

void add_boot(Router& router, Services& services) {
  const QueryParameter many{.name = "nodes", .doc = "Noderange: every one of these nodes."};
  const AlsoGives some_failed{207, body_of<BulkView>(), "application/json", "Some nodes failed."};
  router.add({.method = "GET",
              .path = "/api/v1/nodes/{name}/boot",
              .privilege = auth::Privilege::view,
              .summary = "Show what a node would boot, why, and its script to the letter.",
              .query = {{.name = "server", .doc = "The boot service's address in the script."},
                        {.name = "loader",
                         .doc = "Whose script; absent: what the node loads.",
                         .choices = {"ipxe", "grub"}}},
              .gives = body_of<BootView>(),
              .handler = [&services](const RequestPtr& r) { show_boot(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/boot-next",
              .privilege = auth::Privilege::view,
              .summary = "List what nodes boot once, the next time.",
              .gives = list_of<cluster::BootNext>(),
              .handler = [&services](const RequestPtr& r) { list_next(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/boot-next",
              .privilege = auth::Privilege::operate,
              .summary = "Say what nodes boot once, the next time; that boot uses it up.",
              .query = {many, dry_run_parameter()},
              .takes = body_of<BootNextRequest>(),
              .gives = body_of<BulkView>(),
              .on_nodes = true,
              .errors = {Code::not_found},
              .also = {some_failed},
              .handler = [&services](const RequestPtr& r) { set_next(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/boot-next",
              .privilege = auth::Privilege::operate,
              .summary = "Take back what nodes would boot once.",
              .query = {many, dry_run_parameter(), why_parameter()},
              .gives = body_of<BulkView>(),
              .on_nodes = true,
              .handler = [&services](const RequestPtr& r) { unset_next(services, r); }});
}

}  // namespace drover::api
