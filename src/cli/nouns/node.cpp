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
                             "name",
                             "name",
                             "node",
                             "no nodes"};
  return view;
}

const ListView& part_view() {
  static const ListView view{{{"NODE", "node"},
                              {"KIND", "kind"},
                              {"SLOT", "slot"},
                              {"SERIAL", "serial"},
                              {"ATTRIBUTES", "attributes", Show::text, false, true}},
                             "node",
                             "node",
                             "part"};
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

/// For tables: a phase that nobody vouches for now is marked, and a node that is up as it should be
/// needs no reason, so that such nodes fold into one row.
void add_shown(json::value& item) {
  if (!item.is_object()) return;
  std::string phase = text_at(item, "phase.state");
  const json::value* confirmed = find_path(item, "phase.confirmed");
  const bool sure = confirmed == nullptr || *confirmed != json::value(false);
  const bool well = sure && (phase == "node_up" || phase == "up");
  if (!sure) phase += "?";
  const json::value* why = well ? nullptr : find_path(item, "phase.why");
  json::object shown(item.get_object().storage());
  shown.emplace("phase", phase);
  shown.emplace("why", why == nullptr || !why->is_string() ? json::value("") : *why);
  item.get_object().insert_or_assign("shown", std::move(shown));
}

/// Asks with `ask` for the nodes of a range that pass --filter: the server makes the tests that it
/// knows. `ask` gets the query's path. With `whole` false only fields that are shown are asked for.
template <typename T>
Result<T> ask_filtered(Context& context, const std::string& range, bool whole,
                       Callback<Result<T>(const std::string& path)> ask) {
  if (!range.empty()) DROVER_CHECK_OK(check_range(range));
  // A field that no node has is refused by its option's name when the list is printed.
  const auto ask_for = [&](const std::string& nodes) -> Result<T> {
    const std::vector<std::string> fields =
        whole ? std::vector<std::string>() : shown_fields(context);
    auto answer = ask("/api/v1/nodes" + list_query(nodes, fields));
    const bool unknown = !answer && answer.error().message.starts_with("query parameter fields");
    return unknown ? ask("/api/v1/nodes" + nodes_query(nodes)) : std::move(answer);
  };
  std::vector<FieldTest> filters = context.take_filters();
  if (filters.empty()) return ask_for(range);
  std::string narrowed = fmt::format("({})", range.empty() ? "*" : range);
  for (FieldTest& test : filters) {
    test.path = path_of(test.path, node_view());
    narrowed += "@" + range_text(test);
  }
  auto answer = ask_for(narrowed);
  if (answer || answer.error().message.find("no attribute") == std::string::npos) return answer;
  context.restore_filters(std::move(filters));  // a field that only the answers have
  return ask_for(range);
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
  return ask_filtered<int>(context, range, false, [&context](const std::string& path) {
    return context.print_list_at(path, node_view(), &add_shown);
  });
}

Result<int> show_inventory(Context& context, const std::string& range) {
  DROVER_CHECK_OK(check_range(range));
  const std::string path = "/api/v1/inventory" + nodes_query(range);
  return context.print_list_at(path, part_view());
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
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items,
             ask_filtered<json::array>(context, range, true, [&](const std::string& path) {
               return client->list(path, context.timeout());
             }));
  if (!context.for_people()) return context.print_list(std::move(items), node_view());
  DROVER_TRY(const json::array chosen, context.refined(std::move(items), node_view()));
  for (const std::string& column : context.output().columns) {
    DROVER_CHECK_OK(check_path("--columns", column, chosen, node_view()));
  }
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
