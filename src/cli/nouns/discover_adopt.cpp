// drover discover adopt: found machines become nodes.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/discover.hpp"
#include "cluster/discovery/adopt_request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr Duration kAdoptTime = std::chrono::minutes(2);

/// The map of --map or --serials as the API takes it.
Result<json::value> map_of(Context& context, const Given& given) {
  const bool serials = given.has("serials");
  DROVER_TRY(const std::string text, read_text(context, given.text(serials ? "serials" : "map")));
  const auto map = serials ? cluster::parse_serial_list(text) : cluster::parse_adopt_map(text);
  if (!map) return fail_in(given.text(serials ? "serials" : "map"), map.error());
  return parse_json(encode(*map));
}

Result<json::object> request_of(Context& context, const Given& given) {
  json::object request;
  const int rules =
      (given.has("map") ? 1 : 0) + (given.has("serials") ? 1 : 0) + (given.has("by-port") ? 1 : 0);
  if (rules > 1) {
    return fail(Code::invalid_argument, "--map, --serials and --by-port exclude each other");
  }
  if (given.has("map") || given.has("serials")) {
    request["by"] = "map";
    DROVER_TRY(request["map"], map_of(context, given));
  }
  if (given.has("by-port")) request["by"] = "port";
  if (given.has("names")) request["names"] = given.text("names");
  if (given.has("bmcs")) {
    json::array& bmcs = request["bmcs"].emplace_array();
    for (const std::string& bmc : given.all("bmcs")) bmcs.emplace_back(bmc);
  }
  for (const char* name : {"network", "address", "group", "why"}) {
    if (given.has(name)) request[name] = given.text(name);
  }
  return request;
}

std::string joined(const json::value& row, std::string_view path) {
  const json::value* list = find_path(row, path);
  std::vector<std::string> words;
  if (list != nullptr && list->is_array()) {
    for (const json::value& word : list->get_array()) words.push_back(scalar_text(word));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// What changes and, behind it, why not and what was left out, for one column.
void add_notes(json::array& rows) {
  for (json::value& row : rows) {
    if (!row.is_object()) continue;
    std::string notes = text_at(row, "problem");
    for (const char* part : {"changes", "warnings"}) {
      const std::string words = joined(row, part);
      if (words.empty()) continue;
      if (!notes.empty()) notes += "; ";
      notes += std::string_view(part) == "warnings" ? "warning: " + words : words;
    }
    row.as_object()["notes"] = notes;
  }
}

Result<int> print_result(Context& context, json::value result, bool dry) {
  const int code = text_at(result, "skipped") == "0" ? 0 : 1;
  const bool whole =
      context.output().format == Format::json || context.output().format == Format::yaml;
  if (whole || !result.is_object()) return context.print_document(result, code);
  static const ListView view{{{"NODE", "node"},
                              {"ACTION", "action", Show::state},
                              {"BMC", "bmc"},
                              {"SYSTEM", "system"},
                              {"SERIAL", "serial"},
                              {"NOTES", "notes", Show::text, false, true}},
                             "",
                             "node",
                             "",
                             "no machine was found yet: drover discover scan NETWORK"};
  json::array rows;
  if (json::value* all = result.as_object().if_contains("rows");
      all != nullptr && all->is_array()) {
    rows = all->get_array();
  }
  if (context.for_people()) {
    // What stays as it is is counted, not shown.
    json::array shown;
    for (const json::value& row : rows) {
      if (text_at(row, "action") != "keep") shown.push_back(row);
    }
    if (!shown.empty() || rows.empty()) rows = std::move(shown);
  }
  add_notes(rows);
  const Result<int> printed = context.print_list(std::move(rows), view, code);
  if (context.for_people()) {
    context.print(fmt::format(
        "{}{} created, {} changed, {} replaced, {} as they were, {} skipped\n",
        dry ? "would be: " : "", text_at(result, "created"), text_at(result, "changed"),
        text_at(result, "replaced"), text_at(result, "kept"), text_at(result, "skipped")));
  }
  return printed;
}

Result<json::value> ask(Context& context, const json::object& request, bool dry) {
  DROVER_TRY(Client* const client, context.client());
  return client->send("POST", fmt::format("/api/v1/discover/adopt{}", dry ? "?dry_run=true" : ""),
                      request, context.timeout(kAdoptTime));
}

uint64_t number_at(const json::value& result, std::string_view path) {
  const json::value* value = find_path(result, path);
  return value != nullptr && value->is_number() ? value->to_number<uint64_t>() : 0;
}

Result<int> adopt(Context& context, const Given& given) {
  DROVER_TRY(const json::object request, request_of(context, given));
  if (given.has("dry-run")) {
    DROVER_TRY(json::value plan, ask(context, request, true));
    return print_result(context, std::move(plan), true);
  }
  if (!context.told_yes()) {
    DROVER_TRY(const json::value plan, ask(context, request, true));
    // New nodes harm nobody; those that change may be running.
    const uint64_t touched = number_at(plan, "changed") + number_at(plan, "replaced");
    DROVER_CHECK_OK(context.confirm_many(touched, fmt::format("change {} nodes", touched)));
  }
  DROVER_TRY(json::value result, ask(context, request, false));
  return print_result(context, std::move(result), false);
}

}  // namespace

std::vector<Command> discover_adopt_commands() {
  return {{"discover",
           "adopt",
           "Make nodes of the machines behind found BMCs, or bring their nodes up to date",
           {{"names", Kind::optional, "Names for new machines, in the order of BMCs' addresses"},
            {"map", Kind::option, "File that says which machine is which node; - for input"},
            {"serials", Kind::option, "File of lines SERIAL NODE; - for input"},
            {"by-port", Kind::flag, "By the switch port that a relay saw the machine at"},
            {"bmcs", Kind::repeated, "Only behind these BMCs: 10.1.0.0/24 or 10.1.0.7"},
            {"network", Kind::option, "The network of each new node's first interface"},
            {"address", Kind::option, "Its address, such as '10.1.0.${number}/16'"},
            {"group", Kind::option, "Static group that new nodes become members of"},
            {"why", Kind::option, "Reason, kept in the history"},
            {"dry-run", Kind::flag, "Show the plan and change nothing"}},
           {"drover discover adopt 'n[1-64]' --network mgmt --address '10.1.0.${number}/16'",
            "drover discover adopt --map racks.yaml --dry-run",
            "drover discover adopt --serials delivery.txt --why 'delivery of May'"},
           adopt}};
}

}  // namespace drover::cli
