// drover group, profile and network: list, show, add, set, unset, remove; drover group members.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/definition_settings.hpp"
#include "cli/network_settings.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// What differs between them.
struct Sort {
  std::string noun;
  std::string path;
  Result<std::string> (*settings)(const std::vector<std::string>&);
  Result<std::string> (*unsettings)(const std::vector<std::string>&);
  ListView view;
};

const Sort& group_sort() {
  static const Sort sort{"group",
                         "/api/v1/groups",
                         group_settings,
                         group_unsettings,
                         {{{"GROUP", "name"},
                           {"NODES", "count", Show::number},
                           {"MEMBERS", "members", Show::text, false, true},
                           {"RANGE", "range", Show::text, false, true},
                           {"PROFILES", "profiles", Show::text, true},
                           {"ATTRIBUTES", "attributes", Show::text, true},
                           {"PRIORITY", "priority", Show::number, true},
                           {"DESCRIPTION", "description", Show::text, false, true}}}};
  return sort;
}

const Sort& profile_sort() {
  static const Sort sort{"profile",
                         "/api/v1/profiles",
                         profile_settings,
                         profile_unsettings,
                         {{{"PROFILE", "name"},
                           {"INHERITS", "inherits"},
                           {"ATTRIBUTES", "attributes", Show::text, false, true},
                           {"DESCRIPTION", "description", Show::text, false, true}}}};
  return sort;
}

const Sort& network_sort() {
  static const Sort sort{"network",
                         "/api/v1/networks",
                         network_settings,
                         network_unsettings,
                         {{{"NETWORK", "name"},
                           {"PREFIX", "prefix"},
                           {"PREFIX6", "prefix6", Show::text, true},
                           {"MODE", "mode"},
                           {"POOL", "pool"},
                           {"UNKNOWN", "unknown"},
                           {"GATEWAY", "gateway"},
                           {"NAMESERVERS", "nameservers", Show::text, true},
                           {"DOMAIN", "domain"},
                           {"MTU", "mtu", Show::number, true},
                           {"LEASE", "lease_seconds", Show::number, true},
                           {"DESCRIPTION", "description", Show::text, false, true}}}};
  return sort;
}

Result<json::object> parsed_object(const Result<std::string>& text) {
  if (!text) return tl::unexpected<Error>(text.error());
  DROVER_TRY(const json::value document, parse_json(*text));
  return document.as_object();
}

std::string path_of_one(const Sort& sort, const std::string& name) {
  return fmt::format("{}/{}", sort.path, net::percent_encode(name));
}

std::string changing_path(std::string path, const Given& given) {
  if (given.has("dry-run")) path = with_query(path, "dry_run", "true");
  if (given.has("why")) path = with_query(path, "why", given.text("why"));
  return path;
}

Result<int> print_changed(Context& context, const Sort& sort, const Given& given,
                          const json::value& answer, std::string_view word) {
  if (context.output().format == Format::name) {
    context.print(text_at(answer, "name") + "\n");
    return 0;
  }
  if (!context.for_people()) return context.print_document(answer);
  context.print(fmt::format("{} {} {}{}\n", sort.noun, text_at(answer, "name"),
                            given.has("dry-run") ? "would be " : "", word));
  return 0;
}

Result<int> list(Context& context, const Sort& sort) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(sort.path, context.timeout()));
  if (items.empty() && context.for_people()) context.warn(fmt::format("no {}s", sort.noun));
  return context.print_list(std::move(items), sort.view);
}

Result<int> show(Context& context, const Sort& sort, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value one,
             client->get(path_of_one(sort, given.text(sort.noun)), context.timeout()));
  return context.print_document(one);
}

Result<int> add(Context& context, const Sort& sort, const Given& given) {
  DROVER_TRY(json::object body, parsed_object(sort.settings(given.all("setting"))));
  if (body.contains("edits")) {
    return fail(Code::invalid_argument,
                fmt::format("a new {} has no list yet: use NAME=VALUE", sort.noun));
  }
  body["name"] = given.text(sort.noun);
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("POST", changing_path(sort.path, given), body, context.timeout()));
  return print_changed(context, sort, given, answer, "added");
}

Result<int> patch(Context& context, const Sort& sort, const Given& given, json::object body) {
  const std::string path = path_of_one(sort, given.text(sort.noun));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("PATCH", changing_path(path, given), body, context.timeout()));
  return print_changed(context, sort, given, answer, "changed");
}

Result<int> set(Context& context, const Sort& sort, const Given& given) {
  DROVER_TRY(json::object body, parsed_object(sort.settings(given.all("setting"))));
  // A static group is made dynamic, or the other way round, in one step.
  if (body.contains("range") && !body.contains("nodes")) body["nodes"] = nullptr;
  if (body.contains("nodes") && !body.contains("range")) body["range"] = nullptr;
  return patch(context, sort, given, std::move(body));
}

Result<int> unset(Context& context, const Sort& sort, const Given& given) {
  DROVER_TRY(json::object body, parsed_object(sort.unsettings(given.all("field"))));
  return patch(context, sort, given, std::move(body));
}

Result<int> rename(Context& context, const Sort& sort, const Given& given) {
  json::object body{{"to", given.text("to")}};
  if (given.has("why")) body["why"] = given.text("why");
  std::string path = path_of_one(sort, given.text(sort.noun)) + "/rename";
  if (given.has("dry-run")) path = with_query(path, "dry_run", "true");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer, client->send("POST", path, body, context.timeout()));
  return print_changed(context, sort, given, answer, "renamed");
}

Result<int> remove(Context& context, const Sort& sort, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  for (const std::string& name : given.all(sort.noun)) {
    DROVER_TRY(const json::value answer,
               client->send("DELETE", changing_path(path_of_one(sort, name), given), nullptr,
                            context.timeout()));
    if (context.for_people()) {
      context.print(fmt::format("{} {} {}removed\n", sort.noun, printable(name),
                                given.has("dry-run") ? "would be " : ""));
    }
  }
  return 0;
}

Result<int> members(Context& context, const Given& given) {
  const Sort& sort = group_sort();
  json::object body;
  for (const char* side : {"add", "remove"}) {
    if (!given.has(side)) continue;
    DROVER_CHECK_OK(check_range(given.text(side)));
    body[side] = given.text(side);
  }
  DROVER_TRY(Client* const client, context.client());
  const std::string path = path_of_one(sort, given.text(sort.noun));
  if (body.empty()) {
    DROVER_TRY(const json::value group, client->get(path, context.timeout()));
    context.print(text_at(group, "members") + "\n");
    return 0;
  }
  if (given.has("why")) body["why"] = given.text("why");
  std::string target = path + "/members";
  if (given.has("dry-run")) target = with_query(target, "dry_run", "true");
  DROVER_TRY(const json::value answer, client->send("POST", target, body, context.timeout()));
  if (!context.for_people()) return context.print_document(answer);
  context.print(fmt::format("group {} {} {}\n", text_at(answer, "name"),
                            given.has("dry-run") ? "would be" : "is", text_at(answer, "nodes")));
  return 0;
}

template <const Sort& (*kSort)(), Result<int> (*kDo)(Context&, const Sort&, const Given&)>
Result<int> of(Context& context, const Given& given) {
  return kDo(context, kSort(), given);
}
template <const Sort& (*kSort)()>
Result<int> list_of(Context& context, const Given& /*given*/) {
  return list(context, kSort());
}

}  // namespace

std::vector<Command> group_commands() {
  const Parameter name{"group", Kind::required, "Its name"};
  return {
      {"group",
       "list",
       "List groups with their members",
       {},
       {"drover group list", "drover group list -o wide"},
       list_of<group_sort>},
      {"group",
       "show",
       "Show everything about a group",
       {name},
       {"drover group show rack1"},
       of<group_sort, show>},
      {"group",
       "add",
       "Make a group: static (nodes=) or dynamic (range=)",
       {name,
        {"setting", Kind::any,
         "NAME=VALUE: nodes, range, profiles, priority, description, "
         "any attribute"},
        why_option(),
        dry_run_flag()},
       {"drover group add rack1 nodes='n[1-32]' rack=1",
        "drover group add gpus range='gpus>=4 & service=in_service' profiles=gpu"},
       of<group_sort, add>},
      {"group",
       "set",
       "Change a group",
       {name,
        {"setting", Kind::many, "NAME=VALUE; of profiles also NAME+=VALUE and NAME-=VALUE"},
        why_option(),
        dry_run_flag()},
       {"drover group set rack1 priority=10 gateway=10.0.1.254",
        "drover group set rack1 profiles+=gpu profiles-=old"},
       of<group_sort, set>},
      {"group",
       "unset",
       "Take fields and attributes of a group away",
       {name, {"field", Kind::many, "Attribute or field"}, why_option(), dry_run_flag()},
       {"drover group unset rack1 gateway"},
       of<group_sort, unset>},
      {"group",
       "rename",
       "Give a group another name, in every range and limit that names it too",
       {name, {"to", Kind::required, "Its new name"}, why_option(), dry_run_flag()},
       {"drover group rename rack1 row1-rack1"},
       of<group_sort, rename>},
      {"group",
       "remove",
       "Remove groups; their nodes stay",
       {{"group", Kind::many, "Names of groups"}, why_option(), dry_run_flag()},
       {"drover group remove rack1"},
       of<group_sort, remove>},
      {"group",
       "members",
       "Show the members of a group, or put nodes in and take them out",
       {name,
        {"add", Kind::option, "Noderange of nodes to put in"},
        {"remove", Kind::option, "Noderange of nodes to take out"},
        why_option(),
        dry_run_flag()},
       {"drover group members rack1", "drover group members rack1 --add 'n[33-36]' --remove n1"},
       members},
  };
}

std::vector<Command> profile_commands() {
  const Parameter name{"profile", Kind::required, "Its name"};
  return {
      {"profile", "list", "List profiles", {}, {"drover profile list"}, list_of<profile_sort>},
      {"profile",
       "show",
       "Show everything about a profile",
       {name},
       {"drover profile show gpu"},
       of<profile_sort, show>},
      {"profile",
       "add",
       "Make a profile; the one called default is every node's weakest",
       {name,
        {"setting", Kind::any, "NAME=VALUE: inherits, description, any attribute"},
        why_option(),
        dry_run_flag()},
       {"drover profile add gpu inherits=base kernel_args='quiet iommu=pt'",
        "drover profile add default timezone=Europe/Zurich rack='${(number-1)/32+1}'"},
       of<profile_sort, add>},
      {"profile",
       "set",
       "Change a profile",
       {name,
        {"setting", Kind::many, "NAME=VALUE; of inherits also NAME+=VALUE and NAME-=VALUE"},
        why_option(),
        dry_run_flag()},
       {"drover profile set gpu image=rocky9-gpu", "drover profile set gpu inherits+=base"},
       of<profile_sort, set>},
      {"profile",
       "unset",
       "Take fields and attributes of a profile away",
       {name, {"field", Kind::many, "Attribute or field"}, why_option(), dry_run_flag()},
       {"drover profile unset gpu kernel_args"},
       of<profile_sort, unset>},
      {"profile",
       "rename",
       "Give a profile another name, wherever it is taken",
       {name, {"to", Kind::required, "Its new name"}, why_option(), dry_run_flag()},
       {"drover profile rename gpu gpu-rocky9"},
       of<profile_sort, rename>},
      {"profile",
       "remove",
       "Remove profiles that nothing takes",
       {{"profile", Kind::many, "Names of profiles"}, why_option(), dry_run_flag()},
       {"drover profile remove gpu"},
       of<profile_sort, remove>},
  };
}

std::vector<Command> network_commands() {
  const Parameter name{"network", Kind::required, "Its name"};
  return {
      {"network",
       "list",
       "List networks",
       {},
       {"drover network list", "drover network list -o wide"},
       list_of<network_sort>},
      {"network",
       "show",
       "Show everything about a network",
       {name},
       {"drover network show boot"},
       of<network_sort, show>},
      {"network",
       "add",
       "Make a network that nodes are on and boot from",
       {name,
        {"setting", Kind::any,
         "NAME=VALUE: prefix, prefix6, mode, pool, gateway, nameservers, ntp_servers, domain, "
         "search, mtu, lease_seconds, unknown, description"},
        why_option(),
        dry_run_flag()},
       {"drover network add boot prefix=10.77.0.0/24 pool=10.77.0.200-10.77.0.250 "
        "gateway=10.77.0.1 domain=cluster.test",
        "drover network add office prefix=192.0.2.0/24 mode=proxy unknown=ignore"},
       of<network_sort, add>},
      {"network",
       "set",
       "Change a network",
       {name, {"setting", Kind::many, "NAME=VALUE"}, why_option(), dry_run_flag()},
       {"drover network set boot nameservers=10.77.0.1,10.77.0.2 mtu=9000"},
       of<network_sort, set>},
      {"network",
       "unset",
       "Take fields of a network back to their defaults",
       {name, {"field", Kind::many, "Field"}, why_option(), dry_run_flag()},
       {"drover network unset boot pool"},
       of<network_sort, unset>},
      {"network",
       "remove",
       "Remove networks; the addresses of their machines stay",
       {{"network", Kind::many, "Names of networks"}, why_option(), dry_run_flag()},
       {"drover network remove boot"},
       of<network_sort, remove>},
  };
}

}  // namespace drover::cli
