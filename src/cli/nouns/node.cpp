// drover node: list, show, set.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <map>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& node_view() {
  static const ListView view{{{"NODE", "name"},
                              {"ROLE", "role"},
                              {"PHASE", "shown.phase", Show::state},
                              {"SERVICE", "service.state", Show::state},
                              {"POWER", "power.state", Show::state, true},
                              {"FLAG", "flag", Show::state, true},
                              {"PRIMARY", "agent.primary"},
                              {"SECONDARY", "agent.secondary"},
                              {"SINCE", "phase.since", Show::age, true},
                              {"ADDRESS", "agent.address", Show::text, true},
                              {"VERSION", "agent.version", Show::text, true},
                              {"STARTS", "agent.starts", Show::number, true},
                              {"CPUS", "summary.cpus", Show::number, true},
                              {"MEMORY", "summary.memory_mib", Show::mebibytes, true},
                              {"GPUS", "summary.gpus", Show::number, true},
                              {"WHY", "shown.why", Show::text, false, true}},
                             "name"};
  return view;
}

const ListView& part_view() {
  static const ListView view{{{"NODE", "node"},
                              {"KIND", "kind"},
                              {"SLOT", "slot"},
                              {"SERIAL", "serial"},
                              {"ATTRIBUTES", "attributes", Show::text, false, true}},
                             "node",
                             "node"};
  return view;
}

/// The nodes of a range that pass --filter: the server makes the tests that it knows.
Result<json::array> ask_node_items(Context& context, const std::string& range) {
  if (!range.empty()) DROVER_CHECK_OK(check_range(range));
  DROVER_TRY(Client* const client, context.client());
  std::vector<FieldTest> filters = context.take_filters();
  if (!filters.empty()) {
    std::string narrowed = fmt::format("({})", range.empty() ? "*" : range);
    for (FieldTest& test : filters) {
      test.path = path_of(test.path, node_view());
      narrowed += "@" + range_text(test);
    }
    auto items = client->list("/api/v1/nodes" + nodes_query(narrowed), context.timeout());
    if (items || items.error().message.find("no attribute") == std::string::npos) return items;
    context.restore_filters(std::move(filters));  // a field that only the answers have
  }
  return client->list("/api/v1/nodes" + nodes_query(range), context.timeout());
}

/// For tables: a phase that nobody vouches for now is marked, and a node that is up as it should be
/// needs no reason, so that such nodes fold into one row.
void add_shown(json::array& items) {
  for (json::value& item : items) {
    if (!item.is_object()) continue;
    const std::string phase = text_at(item, "phase.state");
    const bool confirmed = text_at(item, "phase.confirmed") != "false";
    const bool well = confirmed && (phase == "node_up" || phase == "up");
    item.get_object()["shown"] = {{"phase", confirmed ? phase : phase + "?"},
                                  {"why", well ? std::string() : text_at(item, "phase.why")}};
  }
}

Result<int> print_nodes(Context& context, json::array items, int exit_code) {
  const Format format = context.output().format;
  if (context.for_people() || format == Format::csv) add_shown(items);
  return context.print_list(items, node_view(), exit_code);
}

Result<int> list(Context& context, const Given& given) {
  DROVER_TRY(json::array items, ask_node_items(context, given.text("noderange")));
  if (items.empty() && context.for_people()) context.warn("no nodes");
  return print_nodes(context, std::move(items), 0);
}

/// Attributes as "key=value .." so that equal parts of many nodes fold into one row.
json::value with_attribute_text(json::value part) {
  auto* attributes = part.is_object() ? part.get_object().if_contains("attributes") : nullptr;
  if (attributes == nullptr || !attributes->is_object()) return part;
  std::string text;
  for (const auto& [key, value] : attributes->get_object()) {
    if (!text.empty()) text.push_back(' ');
    text += fmt::format("{}={}", std::string_view(key), scalar_text(value));
  }
  *attributes = text;
  return part;
}

Result<int> show_inventory(Context& context, const std::string& range) {
  DROVER_TRY(const auto nodes, ask_nodes(context, range));
  DROVER_TRY(Client* const client, context.client());
  json::array parts;
  for (const std::string& node : nodes) {
    DROVER_TRY(const json::array items,
               client->list(fmt::format("/api/v1/nodes/{}/inventory", net::percent_encode(node)),
                            context.timeout()));
    const bool text = context.for_people() || context.output().format == Format::csv;
    for (const json::value& item : items) {
      parts.push_back(text ? with_attribute_text(item) : item);
    }
  }
  return context.print_list(parts, part_view());
}

Result<int> show_metrics(Context& context, const std::string& range) {
  DROVER_CHECK_OK(check_range(range));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::array items,
             client->list("/api/v1/metrics" + nodes_query(range), context.timeout()));
  if (!context.for_people() && context.output().format != Format::csv) {
    return context.print_list(items, {{}, {}, "node"});
  }
  static const ListView view{{{"NODE", "node"},
                              {"METRIC", "metric"},
                              {"VALUE", "value", Show::number},
                              {"AGE", "time", Show::age}}};
  json::array rows;
  for (const json::value& item : items) {
    const json::value* metrics = find_path(item, "metrics");
    if (metrics == nullptr || !metrics->is_object()) continue;
    for (const auto& [name, value] : metrics->get_object()) {
      rows.push_back(json::object{{"node", *find_path(item, "node")},
                                  {"metric", name},
                                  {"value", value},
                                  {"time", *find_path(item, "time")}});
    }
  }
  return context.print_list(rows, view);
}

Result<int> show(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  if (given.has("inventory")) return show_inventory(context, range);
  if (given.has("metrics")) return show_metrics(context, range);
  DROVER_TRY(const json::array items, ask_node_items(context, range));
  if (context.output().format != Format::table && context.output().format != Format::wide) {
    return context.print_list(items, node_view());
  }
  DROVER_TRY(const json::array chosen, context.refined(items, node_view()));
  bool first = true;
  for (const json::value& item : chosen) {
    if (!std::exchange(first, false)) context.print("\n");
    context.print(render_document(item, context.output()));
  }
  return 0;
}

/// "service=in_service" as a merge patch; values that are JSON (true, 3) stay JSON.
Result<json::object> patch_of(const std::vector<std::string>& settings, const std::string& why) {
  json::object out;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" is not a setting: expected NAME=VALUE", printable(setting)),
                  "drover node set n1 service=maintenance --why 'new DIMM'");
    }
    const std::string text = setting.substr(equals + 1);
    const auto value = parse_json(text);
    const bool literal = value && (value->is_bool() || value->is_number() || value->is_null());
    out[setting.substr(0, equals)] = literal ? *value : json::value(text);
  }
  if (!why.empty()) out["why"] = why;
  return out;
}

Result<int> set(Context& context, const Given& given) {
  DROVER_TRY(const json::object patch, patch_of(given.all("setting"), given.text("why")));
  DROVER_TRY(const auto nodes, ask_nodes(context, given.text("noderange")));
  if (given.has("dry-run")) {
    context.print(fmt::format("would change {} ({}): {}\n", printable(fold_names(nodes)),
                              nodes.size(), terminal_safe_json(to_text(patch))));
    return 0;
  }
  DROVER_CHECK_OK(context.confirm_many(nodes.size(), "change " + fold_names(nodes)));
  DROVER_TRY(Client* const client, context.client());
  json::array changed;
  std::map<std::string, std::pair<Error, std::vector<std::string>>> failures;
  for (const std::string& node : nodes) {
    auto answer = client->send("PATCH", "/api/v1/nodes/" + net::percent_encode(node), patch,
                               context.timeout());
    if (answer) {
      changed.push_back(*std::move(answer));
      continue;
    }
    // A failure that would meet every node is the command's own.
    if (changed.empty() && failures.empty() && nodes.size() == 1) {
      return tl::unexpected(std::move(answer).error());
    }
    auto& failure = failures.try_emplace(answer.error().text()).first->second;
    failure.first = answer.error();
    failure.second.push_back(node);
  }
  for (const auto& [text, failure] : failures) {
    context.warn(fmt::format("{}: {}", fold_names(failure.second), text));
    if (!failure.first.next.empty()) context.warn("next: " + failure.first.next);
  }
  // All refused for one reason: that reason's exit code; else "some failed".
  const bool whole = changed.empty() && failures.size() == 1;
  const int failed_code = whole ? info(failures.begin()->second.first.code).exit_code : 1;
  return print_nodes(context, std::move(changed), failures.empty() ? 0 : failed_code);
}

}  // namespace

std::vector<Command> node_commands() {
  return {
      {"node",
       "list",
       "List nodes; equal ones folded into one row (-o wide: a row for each)",
       {{"noderange", Kind::optional, "Nodes to list [all]"}},
       {"drover node list", "drover node list 'n[1-8]' -o wide",
        "drover node list 'phase.state=lost' -o name", "drover node list --columns name,phase.why"},
       list},
      {"node",
       "show",
       "Show everything known about nodes",
       {{"noderange", Kind::required, "Nodes to show"},
        {"inventory", Kind::flag, "Their parts: CPUs, DIMMs, disks, NICs, firmware"},
        {"metrics", Kind::flag, "Their latest metrics"}},
       {"drover node show n1", "drover node show 'n[1-8]' --inventory",
        "drover node show n1 --metrics -o json"},
       show},
      {"node",
       "set",
       "Change nodes: service, enabled, flag, locked",
       {{"noderange", Kind::required, "Nodes to change"},
        {"setting", Kind::many, "NAME=VALUE"},
        {"why", Kind::option, "Reason, kept in the history"},
        {"dry-run", Kind::flag, "Show what would be changed"}},
       {"drover node set n1 service=maintenance --why 'new DIMM'",
        "drover node set 'rack1' service=in_service --why repaired"},
       set},
  };
}

}  // namespace drover::cli
