// drover node: add, set, unset, rename, remove, attributes.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/definition_settings.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

std::string with_dry_run(std::string path, const Given& given) {
  return given.has("dry-run") ? with_query(std::move(path), "dry_run", "true") : path;
}

Status confirm(Context& context, const Given& given, const std::vector<std::string>& names,
               std::string_view verb) {
  if (given.has("dry-run")) return {};
  return context.confirm_many(names.size(), fmt::format("{} {}", verb, fold_names(names)));
}

/// Where a change of the nodes in `range` goes, after the question that is due: the nodes that the
/// user confirmed, unless they are too long for a request line. Where nothing is asked the master
/// alone works out whom the range means.
Result<std::string> confirmed_path(Context& context, const Given& given, const std::string& range,
                                   std::string_view verb) {
  constexpr size_t kLongest = 16'000;
  std::string nodes = range;
  if (given.has("dry-run") || context.told_yes()) {
    DROVER_CHECK_OK(check_range(range));
  } else {
    DROVER_TRY(const auto names, ask_nodes(context, range));
    DROVER_CHECK_OK(confirm(context, given, names, verb));
    const std::string folded = fold_names(names);
    if (folded.size() <= kLongest) nodes = folded;
  }
  return with_dry_run("/api/v1/nodes" + nodes_query(nodes), given);
}

Result<int> add(Context& context, const Given& given) {
  DROVER_TRY(const std::string text, node_settings(given.all("setting")));
  DROVER_TRY(const json::value document, parse_json(text));
  const json::object& patch = document.as_object();
  for (const char* state : {"service", "enabled", "flag", "locked"}) {
    if (!patch.contains(state)) continue;
    return fail(Code::invalid_argument,
                fmt::format("{} cannot be set while a node is added", state),
                "add it first, then: drover node set");
  }
  const std::string& range = given.text("noderange");
  DROVER_TRY(const auto names, expand_names(range));
  json::object body{{"role", given.has("role") ? given.text("role") : "compute"}};
  for (const char* part : {"spec", "edits"}) {
    if (patch.contains(part)) body[part] = patch.at(part);
  }
  if (given.has("why")) body["why"] = given.text("why");
  DROVER_CHECK_OK(confirm(context, given, names, "add"));
  DROVER_TRY(Client* const client, context.client());
  Outcomes outcomes;
  DROVER_TRY(const json::value answer,
             client->send("POST", with_dry_run("/api/v1/nodes" + nodes_query(range), given), body,
                          context.timeout(std::chrono::seconds(60))));
  outcomes.add(answer);
  return outcomes.print(context, "added");
}

Result<int> change(Context& context, const Given& given, const std::string& text) {
  const std::string& range = given.text("noderange");
  DROVER_TRY(json::value patch, parse_json(text));
  if (given.has("why")) patch.get_object()["why"] = given.text("why");
  DROVER_TRY(const std::string path, confirmed_path(context, given, range, "change"));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("PATCH", path, patch, context.timeout(std::chrono::seconds(60))));
  Outcomes outcomes;
  outcomes.add(answer);
  return outcomes.print(context, "changed");
}

Result<int> set(Context& context, const Given& given) {
  DROVER_TRY(const std::string patch, node_settings(given.all("setting")));
  return change(context, given, patch);
}

Result<int> unset(Context& context, const Given& given) {
  DROVER_TRY(const std::string patch, node_unsettings(given.all("field")));
  return change(context, given, patch);
}

Result<int> rename(Context& context, const Given& given) {
  const std::string& from = given.text("node");
  const std::string& to = given.text("to");
  std::string path = fmt::format("/api/v1/nodes/{}/rename", net::percent_encode(from));
  if (given.has("force")) path = with_query(path, "force", "true");
  json::object body{{"to", to}};
  if (given.has("why")) body["why"] = given.text("why");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value node,
             client->send("POST", with_dry_run(path, given), body, context.timeout()));
  if (context.output().format == Format::name) {
    context.print(text_at(node, "name") + "\n");
    return 0;
  }
  if (!context.for_people()) return context.print_document(node);
  context.print(fmt::format("{}: {}renamed to {}\n", printable(from),
                            given.has("dry-run") ? "would be " : "", text_at(node, "name")));
  if (given.has("force") && !given.has("dry-run")) {
    context.warn(
        fmt::format("if its agent had joined, it must join again as {}: drover token "
                    "create --names {}",
                    printable(to), printable(to)));
  }
  return 0;
}

Result<int> remove(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  DROVER_TRY(std::string path, confirmed_path(context, given, range, "remove"));
  if (given.has("force")) path = with_query(path, "force", "true");
  if (given.has("why")) path = with_query(path, "why", given.text("why"));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer,
             client->send("DELETE", path, nullptr, context.timeout(std::chrono::seconds(60))));
  Outcomes outcomes;
  outcomes.add(answer);
  return outcomes.print(context, "removed");
}

/// "profile gpu of group rack1", "node" for the node's own.
std::string source_text(const json::value& setting) {
  const std::string source = text_at(setting, "source");
  if (source == "node") return "node";
  const std::string through = text_at(setting, "through");
  return fmt::format("{} {}{}{}", source, text_at(setting, "name"), through.empty() ? "" : " of ",
                     through);
}

/// Where a value comes from and what it overrides, in words.
void add_sources(json::object& item) {
  std::string over;
  const json::value* weaker = item.if_contains("overrides");
  if (weaker != nullptr && weaker->is_array()) {
    for (const json::value& setting : weaker->get_array()) {
      over += fmt::format("{}{}={}", over.empty() ? "" : "; ", source_text(setting),
                          text_at(setting, "raw"));
    }
  }
  const json::value* set_by = item.if_contains("set_by");
  item["from"] = set_by == nullptr ? std::string() : source_text(*set_by);
  item["over"] = over;
}

Result<int> attributes(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  DROVER_CHECK_OK(check_range(range));
  std::string path = "/api/v1/attributes" + nodes_query(range);
  if (given.has("attribute")) path = with_query(path, "name", given.text("attribute"));
  ListView view{{{"NODE", "node"}, {"ATTRIBUTE", "name"}, {"VALUE", "value"}}, "node", "node"};
  view.when_empty = "no attributes";
  if (given.has("blame") || context.output().format == Format::wide) {
    view.columns.push_back({"FROM", "from"});
    view.columns.push_back({"WRITTEN", "set_by.raw"});
    view.columns.push_back({"OVERRIDES", "over", Show::text, false, true});
  }
  bool trouble = false;
  DROVER_TRY(const int code, context.print_list_at(path, view, [&](json::value& item) {
    if (!item.is_object()) return;
    const std::string problem = text_at(item, "problem");
    if (!problem.empty()) {
      trouble = true;
      context.warn(problem);
    }
    add_sources(item.get_object());
  }));
  return trouble ? 1 : code;
}

}  // namespace

std::vector<Command> node_change_commands() {
  return {
      {"node",
       "add",
       "Define nodes before they are ever heard of; formulas make the difference between them",
       {{"noderange", Kind::required, "Names of the new nodes"},
        {"setting", Kind::any, "NAME=VALUE, as of drover node set"},
        {"role", Kind::option, "What kind of nodes they are [compute]", {"compute", "utility"}},
        why_option(),
        dry_run_flag()},
       {"drover node add 'n[1-16]'",
        "drover node add 'n[1-16]' rack=3 eth0.address='10.0.3.${number}/16'",
        "drover node add n17 nid=17 eth0.mac=02:00:00:00:00:11 bmc.address=10.1.3.17 profiles=gpu"},
       add},
      {"node",
       "set",
       "Change nodes: service, enabled, flag, locked, any field of the spec, any attribute",
       {{"noderange", Kind::required, "Nodes to change"},
        {"setting", Kind::many, "NAME=VALUE; of lists also NAME+=VALUE and NAME-=VALUE"},
        why_option(),
        dry_run_flag()},
       {"drover node set n1 service=maintenance --why 'new DIMM'",
        "drover node set 'rack1' service=in_service --why repaired",
        "drover node set 'n[1-8]' rack=3 profiles+=gpu aliases-=x",
        "drover node set n1 owner=alice mode=0750"},
       set},
      {"node",
       "unset",
       "Take fields and attributes of nodes back to what they were without them",
       {{"noderange", Kind::required, "Nodes to change"},
        {"field", Kind::many, "Attribute, field, INTERFACE.mac, or interface.NAME for all of it"},
        why_option(),
        dry_run_flag()},
       {"drover node unset n1 rack nid", "drover node unset 'n[1-8]' bmc interface.eth1"},
       unset},
      {"node",
       "rename",
       "Give a node another name; it keeps its id, parts, groups and history",
       {{"node", Kind::required, "Its name"},
        {"to", Kind::required, "Its new name"},
        {"force", Kind::flag, "Also when its agent has joined: it must join again then"},
        why_option(),
        dry_run_flag()},
       {"drover node rename n1 rack1n01"},
       rename},
      {"node",
       "remove",
       "Forget nodes, with their parts and memberships; their history stays",
       {{"noderange", Kind::required, "Nodes to remove"},
        {"force", Kind::flag, "Also when they are up: their agents are cut off"},
        why_option(),
        dry_run_flag()},
       {"drover node remove 'n[5-8]' --why scrapped", "drover node remove n1 --force"},
       remove},
      {"node",
       "attributes",
       "Show the attributes that nodes have in effect, and with --blame where each comes from",
       {{"noderange", Kind::required, "Nodes"},
        {"attribute", Kind::option, "Only this attribute"},
        {"blame", Kind::flag, "Where each value comes from, and what it overrides"}},
       {"drover node attributes n1 --blame", "drover node attributes 'n[1-8]' --attribute rack"},
       attributes},
  };
}

}  // namespace drover::cli
