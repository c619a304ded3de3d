// drover node: list, show. What changes nodes is in node_change.cpp.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>
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

/// What the list needs; the columns under "shown" are made here from the phase.
std::vector<std::string> shown_fields(const Context& context) {
  std::vector<std::string> out = context.fields_for(node_view());
  const size_t made =
      std::erase_if(out, [](const std::string& field) { return field.starts_with("shown."); });
  if (made > 0) {
    for (const char* field : {"phase.state", "phase.confirmed", "phase.why"}) {
      if (std::find(out.begin(), out.end(), field) == out.end()) out.emplace_back(field);
    }
  }
  return out;
}

/// The nodes of a range that pass --filter: the server makes the tests that it knows. With `fields`
/// only those that are shown are asked for.
Result<json::array> ask_node_items(Context& context, const std::string& range, bool whole) {
  if (!range.empty()) DROVER_CHECK_OK(check_range(range));
  DROVER_TRY(Client* const client, context.client());
  // A field that no node has is refused by its option's name when the list is printed.
  const auto ask = [&](const std::string& nodes) -> Result<json::array> {
    const std::vector<std::string> fields =
        whole ? std::vector<std::string>() : shown_fields(context);
    auto items = client->list("/api/v1/nodes" + list_query(nodes, fields), context.timeout());
    const bool unknown = !items && items.error().message.starts_with("query parameter fields");
    if (!unknown) return items;
    return client->list("/api/v1/nodes" + nodes_query(nodes), context.timeout());
  };
  std::vector<FieldTest> filters = context.take_filters();
  if (!filters.empty()) {
    std::string narrowed = fmt::format("({})", range.empty() ? "*" : range);
    for (FieldTest& test : filters) {
      test.path = path_of(test.path, node_view());
      narrowed += "@" + range_text(test);
    }
    auto items = ask(narrowed);
    if (items || items.error().message.find("no attribute") == std::string::npos) return items;
    context.restore_filters(std::move(filters));  // a field that only the answers have
  }
  return ask(range);
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
  return context.print_list(std::move(items), node_view(), exit_code);
}

/// All fields of the nodes, in JSON.
Result<int> print_node_text(Context& context, const std::string& range) {
  if (!range.empty()) DROVER_CHECK_OK(check_range(range));
  return context.print_list_at("/api/v1/nodes" + nodes_query(range), node_view());
}

/// One word per node, as another system would say it.
Result<int> list_states(Context& context, const Given& given) {
  static const ListView view{{{"NODE", "name"},
                              {"STATE", "state"},
                              {"FLAG", "flag", Show::state},
                              {"SINCE", "since", Show::age, true},
                              {"WHY", "why", Show::text, true, true}},
                             "name"};
  const std::string& range = given.text("noderange");
  if (!range.empty()) DROVER_CHECK_OK(check_range(range));
  const std::string path = "/api/v1/states" + nodes_query(range);
  return context.print_list_at(with_query(path, "view", given.text("view")), view);
}

Result<int> list(Context& context, const Given& given) {
  if (given.has("view")) return list_states(context, given);
  const std::string& range = given.text("noderange");
  if (context.prints_as_it_comes()) return print_node_text(context, range);
  DROVER_TRY(json::array items, ask_node_items(context, range, false));
  if (items.empty() && context.for_people()) context.warn("no nodes");
  return print_nodes(context, std::move(items), 0);
}

Result<int> show_inventory(Context& context, const std::string& range) {
  DROVER_CHECK_OK(check_range(range));
  const std::string path = "/api/v1/inventory" + nodes_query(range);
  if (!context.for_people() && context.output().format != Format::csv) {
    return context.print_list_at(path, part_view());
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(path, context.timeout()));
  return context.print_list(std::move(items), part_view());
}

Result<int> show_metrics(Context& context, const std::string& range) {
  DROVER_CHECK_OK(check_range(range));
  const std::string path = "/api/v1/metrics" + nodes_query(range);
  if (!context.for_people() && context.output().format != Format::csv) {
    return context.print_list_at(path, {{}, {}, "node"});
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::array items, client->list(path, context.timeout()));
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
  return context.print_list(std::move(rows), view);
}

Result<int> show(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  if (given.has("inventory")) return show_inventory(context, range);
  if (given.has("metrics")) return show_metrics(context, range);
  if (context.prints_as_it_comes()) return print_node_text(context, range);
  DROVER_TRY(json::array items, ask_node_items(context, range, true));
  if (!context.for_people()) return context.print_list(std::move(items), node_view());
  DROVER_TRY(const json::array chosen, context.refined(std::move(items), node_view()));
  bool first = true;
  for (const json::value& item : chosen) {
    if (!std::exchange(first, false)) context.print("\n");
    context.print(render_document(item, context.output()));
  }
  return 0;
}

}  // namespace

std::vector<Command> node_commands() {
  return {
      {"node",
       "list",
       "List nodes; equal ones folded into one row (-o wide: a row for each)",
       {{"noderange", Kind::optional, "Nodes to list [all]"},
        {"view",
         Kind::option,
         "Their state in one word, as another system says it",
         {"native", "csm", "scyld", "smd"}}},
       {"drover node list", "drover node list --view scyld", "drover node list 'n[1-8]' -o wide",
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
  };
}

}  // namespace drover::cli
