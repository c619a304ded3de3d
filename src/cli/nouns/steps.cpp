// drover node steps, drover steps and drover overlay: what nodes do and are given before they are
// up, and files while they run.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "base/yaml_read.hpp"
#include "cli/bulk.hpp"
#include "cli/context.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "cli/owner.hpp"
#include "cluster/declare/content_form.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kSteps = "/api/v1/steps";
constexpr std::string_view kOverlays = "/api/v1/overlays";

std::string node_path(const std::string& node, std::string_view what) {
  return fmt::format("/api/v1/nodes/{}/{}", net::percent_encode(node), what);
}

// --- drover node steps ------------------------------------------------------------------------

/// "mount fs:/home /home" of a step, for people.
std::string does(const json::value& step) {
  const std::string kind = text_at(step, "kind");
  std::string out = kind;
  for (const char* field : {"module", "source", "target", "path"}) {
    const std::string text = text_at(step, field);
    if (!text.empty()) out += " " + text;
  }
  const json::value* words = find_path(step, "command");
  if (words != nullptr && words->is_array()) {
    for (const json::value& word : words->get_array()) out += " " + scalar_text(word);
  }
  return out;
}

/// The steps and hooks in their order, each with how it went last.
json::array step_rows(const json::value& answer) {
  json::array rows;
  const auto last_of = [&](std::string_view list, std::string_view name, json::object& row) {
    const json::value* results = find_path(answer, fmt::format("last.{}", list));
    if (results == nullptr || !results->is_array()) return;
    for (const json::value& each : results->get_array()) {
      if (text_at(each, "name") != name) continue;
      for (const char* field : {"status", "ms", "why", "output"}) row[field] = text_at(each, field);
    }
  };
  const json::value* steps = find_path(answer, "steps");
  if (steps != nullptr && steps->is_array()) {
    for (const json::value& each : steps->get_array()) {
      const json::value& step = each.at("step");
      json::object row{{"name", text_at(step, "name")},
                       {"does", does(step)},
                       {"origin", text_at(each, "origin")}};
      last_of("steps", text_at(step, "name"), row);
      rows.push_back(std::move(row));
    }
  }
  const json::value* hooks = find_path(answer, "hooks");
  if (hooks != nullptr && hooks->is_array()) {
    for (const json::value& hook : hooks->get_array()) {
      const std::string name = scalar_text(hook);
      json::object row{{"name", name}, {"does", "hook"}, {"origin", "this manager"}};
      last_of("hooks", name, row);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

Result<int> node_steps(Context& context, const Given& given) {
  const std::string& node = given.text("node");
  DROVER_TRY(Client* const client, context.client());
  if (given.has("run")) {
    DROVER_CHECK_OK(client->send("POST", node_path(node, "steps"), nullptr, context.timeout()));
    if (context.for_people()) context.print(fmt::format("{} takes its steps again\n", node));
    return 0;
  }
  DROVER_TRY(const json::value answer, client->get(node_path(node, "steps"), context.timeout()));
  if (!context.for_people()) return context.print_document(answer);
  static const ListView view{{{"STEP", "name"},
                              {"DOES", "does", Show::text, false, true},
                              {"FROM", "origin"},
                              {"LAST", "status", Show::state},
                              {"MS", "ms", Show::number},
                              {"WHY", "why", Show::text, false, true},
                              {"OUTPUT", "output", Show::text, true, true}}};
  json::array rows = step_rows(answer);
  if (rows.empty()) {
    context.warn(fmt::format("nothing is defined for {}: it is up as soon as it is heard", node));
  }
  DROVER_TRY(const int code, context.print_list(std::move(rows), view));
  const std::string why = text_at(answer, "last.why");
  if (!why.empty()) context.warn(fmt::format("{}: {}", node, printable(why)));
  return code;
}

// --- drover steps -----------------------------------------------------------------------------

Result<int> list_at(Context& context, std::string_view path, const ListView& view,
                    std::string_view none) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(std::string(path), context.timeout()));
  if (items.empty() && context.for_people()) context.warn(none);
  return context.print_list(std::move(items), view);
}

Result<int> list_steps(Context& context, const Given& /*given*/) {
  static const ListView view{{{"OWNER", "name"}, {"STEPS", "steps", Show::text, false, true}}};
  return list_at(context, kSteps, view, "no steps are defined");
}

Result<int> show_at(Context& context, const Given& given, std::string_view path) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value one,
             client->get(fmt::format("{}/{}", path, segments), context.timeout()));
  return context.print_document(one);
}

Result<int> show_steps(Context& context, const Given& given) {
  return show_at(context, given, kSteps);
}

/// The file's list of steps, or its map with "steps".
Result<int> set_steps(Context& context, const Given& given) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  DROVER_TRY(const std::string text, read_text(context, given.text("file")));
  DROVER_TRY(json::value read, parse_yaml(text, YamlScalars::text));
  if (const auto* map = read.if_object(); map != nullptr && map->contains("steps")) {
    read = map->at("steps");
  }
  if (!read.is_array()) {
    return fail(Code::invalid_argument, "expected a list of steps, in YAML or JSON",
                "drover explain steps");
  }
  DROVER_TRY(json::value steps, parse_json(cluster::canonical_content(cluster::Form::steps, read)));
  return change_content(context, given, "steps", fmt::format("{}/{}", kSteps, segments),
                        json::object{{"steps", std::move(steps)}});
}

Result<int> unset_steps(Context& context, const Given& given) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  return change_content(context, given, "steps", fmt::format("{}/{}", kSteps, segments), nullptr);
}

// --- drover overlay ---------------------------------------------------------------------------

Result<int> list_overlays(Context& context, const Given& /*given*/) {
  static const ListView view{{{"OWNER", "name"}, {"FILES", "files", Show::text, false, true}}};
  return list_at(context, kOverlays, view, "no files are defined");
}

Result<int> show_overlay(Context& context, const Given& given) {
  const std::string& word = given.text("owner");
  DROVER_TRY(const std::string segments, owner_segments(word));
  if (!segments.starts_with("node/") || given.has("own")) {
    return show_at(context, given, kOverlays);
  }
  DROVER_TRY(Client* const client, context.client());
  const std::string node = word.substr(word.find('/') + 1);
  DROVER_TRY(const json::value answer, client->get(node_path(node, "overlay"), context.timeout()));
  if (!context.for_people()) return context.print_document(answer);
  const json::value* files = find_path(answer, "list");
  if (files == nullptr || !files->is_array() || files->get_array().empty()) {
    context.warn(fmt::format("no files are defined for {}", node));
    return 0;
  }
  return context.print_list(files->get_array(), {{{"FILE", "path"},
                                                  {"MODE", "file.mode"},
                                                  {"USER", "file.user"},
                                                  {"GROUP", "file.group"},
                                                  {"FROM", "origin"},
                                                  {"PROBLEM", "problem", Show::text, false, true}},
                                                 "",
                                                 "path"});
}

Result<int> set_overlay(Context& context, const Given& given) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  DROVER_TRY(std::string content, read_text(context, given.text("file")));
  json::object file{{"content", std::move(content)}};
  for (const char* field : {"mode", "user", "group"}) {
    if (given.has(field)) file[field] = given.text(field);
  }
  file["template"] = given.has("template");
  return change_content(context, given, "overlay", fmt::format("{}/{}", kOverlays, segments),
                        json::object{{"files", json::object{{given.text("path"), file}}}});
}

Result<int> unset_overlay(Context& context, const Given& given) {
  DROVER_TRY(const std::string segments, owner_segments(given.text("owner")));
  const std::string path = fmt::format("{}/{}", kOverlays, segments);
  json::object files;
  for (const std::string& file : given.all("path")) files[file] = nullptr;
  if (files.empty()) return change_content(context, given, "overlay", path, nullptr);
  return change_content(context, given, "overlay", path, json::object{{"files", std::move(files)}});
}

Result<int> overlay_status(Context& context, const Given& given) {
  std::string path = "/api/v1/overlay-status";
  if (given.has("noderange")) {
    DROVER_CHECK_OK(check_range(given.text("noderange")));
    path = with_query(path, "nodes", given.text("noderange"));
  }
  static const ListView view{{{"NODE", "node"},
                              {"STATE", "state", Show::state},
                              {"FILES", "files", Show::number},
                              {"SINCE", "applied", Show::age},
                              {"WHY", "why", Show::text, false, true}},
                             "node",
                             "node"};
  return context.print_list_at(path, view);
}

}  // namespace

std::vector<Command> node_steps_commands() {
  return {{"node",
           "steps",
           "Show what a node does before it is up, who says so, and how it went last",
           {{"node", Kind::required, "Its name"},
            {"run", Kind::flag, "Have it take them again now, and the manager's hooks run"}},
           {"drover node steps n1", "drover node steps n1 -o wide", "drover node steps n1 --run"},
           node_steps}};
}

std::vector<Command> steps_commands() {
  return {{"steps",
           "list",
           "List the steps that nodes take before they are up, by owner",
           {},
           {"drover steps list"},
           list_steps},
          {"steps",
           "show",
           "Show the steps that an owner gives its nodes",
           {owner_parameter()},
           {"drover steps show group/rack1 -o yaml"},
           show_steps},
          {"steps",
           "set",
           "Set the steps that an owner gives its nodes, all of them",
           {owner_parameter(),
            {"file", Kind::required, "The list, YAML or JSON; - for standard input"},
            why_option(),
            dry_run_flag()},
           {"drover steps set profile/gpu steps.yaml --why 'load the driver'"},
           set_steps},
          {"steps",
           "unset",
           "Take an owner's steps away",
           {owner_parameter(), why_option(), dry_run_flag()},
           {"drover steps unset profile/gpu"},
           unset_steps}};
}

std::vector<Command> overlay_commands() {
  return {
      {"overlay",
       "list",
       "List the files that nodes are given, by owner",
       {},
       {"drover overlay list"},
       list_overlays},
      {"overlay",
       "show",
       "Show the files that a node shall have and whose they are, or an owner's",
       {owner_parameter(),
        {"own", Kind::flag, "Of a node: its own alone, without its groups' and profiles'"}},
       {"drover overlay show n1", "drover overlay show group/rack1 -o yaml"},
       show_overlay},
      {"overlay",
       "set",
       "Give an owner's nodes a file, at once and at each boot",
       {owner_parameter(),
        {"path", Kind::required, "Where it is on the nodes"},
        {"file", Kind::required, "What is in it; - for standard input"},
        {"mode", Kind::option, "Its permissions [0644]"},
        {"user", Kind::option, "Whose it is [root]"},
        {"group", Kind::option, "And its group [root]"},
        {"template", Kind::flag, "It holds formulas, such as ${name}, evaluated for each node"},
        why_option(),
        dry_run_flag()},
       {"drover overlay set group/rack1 /etc/motd motd --why 'new policy'",
        "drover overlay set profile/slurm /etc/slurm/slurm.conf slurm.conf --mode 0600"},
       set_overlay},
      {"overlay",
       "unset",
       "Take files away from an owner's nodes; with none named all",
       {owner_parameter(), {"path", Kind::any, "Files"}, why_option(), dry_run_flag()},
       {"drover overlay unset group/rack1 /etc/motd", "drover overlay unset group/rack1"},
       unset_overlay},
      {"overlay",
       "status",
       "Show which nodes have the files that they shall have",
       {{"noderange", Kind::optional, "Nodes [all]"}},
       {"drover overlay status", "drover overlay status @rack1"},
       overlay_status},
  };
}

}  // namespace drover::cli
