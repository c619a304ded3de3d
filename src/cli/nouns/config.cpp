// drover config: what a daemon of this host would start with, and what is wrong with it.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "options/daemon_options.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// One daemon's configuration to look at.
struct Target {
  std::string role;
  std::string file;  ///< empty: none, flags and defaults alone
};

std::vector<std::string> roles() {
  const auto all = options::daemon_roles();
  return {all.begin(), all.end()};
}

/// "/x/master.toml" is master's.
std::string role_of_file(const std::string& file) {
  for (const std::string& role : roles()) {
    if (file == role + ".toml" || file.ends_with("/" + role + ".toml")) return role;
  }
  return {};
}

Result<std::vector<Target>> targets(Context& context, const Given& given) {
  const std::string& role = given.text("role");
  const std::string& file = given.text("file");
  Disk& disk = context.surroundings().disk;
  if (!file.empty()) {
    const std::string whose = role.empty() ? role_of_file(file) : role;
    if (whose.empty()) {
      return fail(Code::invalid_argument,
                  fmt::format("whose file is {}? Its name does not tell", printable(file)),
                  fmt::format("add --role {}", fmt::join(roles(), "|")));
    }
    return std::vector<Target>{{whose, file}};
  }
  std::vector<Target> out;
  for (const std::string& one : roles()) {
    if (!role.empty() && one != role) continue;
    std::string standard = options::standard_file(one);
    DROVER_TRY(const bool there, disk.exists(standard));
    if (there) {
      out.push_back({one, std::move(standard)});
    } else if (one == role) {
      out.push_back({one, {}});
    }
  }
  if (out.empty()) {
    return fail(Code::not_found, "no daemon has a file in /etc/drover on this host",
                "drover config check --role master --file FILE");
  }
  return out;
}

/// Without the environment of this shell, which no daemon has, unless it is asked for.
ConfigFindings examine(Context& context, const Given& given, const Target& target) {
  ConfigSources sources;
  if (!target.file.empty()) sources.arguments = {"--config", target.file};
  if (given.has("environment")) {
    for (const auto& [name, value] : context.surroundings().environment) {
      if (name.starts_with("DROVER_")) sources.environment[name] = value;
    }
  }
  return options::daemon_table(target.role)->examine(sources, context.surroundings().disk);
}

const ListView& option_view() {
  static const ListView view{{{"DAEMON", "role"},
                              {"OPTION", "key"},
                              {"VALUE", "value"},
                              {"FROM", "origin"},
                              {"PLACE", "place"},
                              {"LIVE", "live", Show::text, true},
                              {"DOES", "help", Show::text, true, true}},
                             "",
                             "key"};
  return view;
}

const ListView& short_view() {
  static const ListView view{
      {{"DAEMON", "role"}, {"OPTION", "key"}, {"VALUE", "value"}}, "", "key"};
  return view;
}

void append_options(json::array& out, const Target& target, const Config& config) {
  const auto& options = options::daemon_table(target.role)->options();
  for (size_t i = 0; i < config.values().size() && i < options.size(); ++i) {
    const ConfigValue& value = config.values()[i];
    const bool cluster = value.text.empty() && cluster::find_setting(value.key) != nullptr;
    out.push_back(json::object{{"role", target.role},
                               {"key", value.key},
                               {"value", value.text},
                               {"origin", cluster ? "cluster" : name(value.origin)},
                               {"place", value.where},
                               {"live", options[i].live},
                               {"help", options[i].help}});
  }
}

Result<int> show(Context& context, const Given& given) {
  DROVER_TRY(const auto all, targets(context, given));
  json::array items;
  int code = 0;
  for (const Target& target : all) {
    const ConfigFindings found = examine(context, given, target);
    for (const Error& error : found.errors) context.warn(error.text());
    if (!found.errors.empty()) code = 1;
    append_options(items, target, found.config);
  }
  const bool places = given.has("origin") || context.output().format != Format::table;
  return context.print_list(items, places ? option_view() : short_view(), code);
}

Result<int> check(Context& context, const Given& given) {
  DROVER_TRY(const auto all, targets(context, given));
  json::array items;
  size_t mistakes = 0;
  for (const Target& target : all) {
    const ConfigFindings found = examine(context, given, target);
    mistakes += found.errors.size();
    const std::string file = target.file.empty() ? "no file" : target.file;
    for (const Error& error : found.errors) {
      items.push_back(json::object{
          {"role", target.role}, {"file", file}, {"ok", false}, {"mistake", error.text()}});
    }
    for (const std::string& warning : found.config.warnings()) context.warn("warning: " + warning);
    if (found.errors.empty()) {
      items.push_back(
          json::object{{"role", target.role}, {"file", file}, {"ok", true}, {"mistake", ""}});
    }
  }
  if (!context.for_people()) return context.print_list(items, {{}, {}, "role"}, mistakes > 0);
  for (const json::value& item : items) {
    const std::string mistake = text_at(item, "mistake");
    context.print(mistake.empty()
                      ? fmt::format("{}: {}: ok\n", text_at(item, "role"), text_at(item, "file"))
                      : fmt::format("{}: {}\n", text_at(item, "role"), mistake));
  }
  return mistakes > 0 ? 1 : 0;
}

std::vector<Parameter> parameters() {
  return {{"role", Kind::option, "Whose configuration [all that have a file]", roles()},
          {"file", Kind::option, "A file in place of /etc/drover/ROLE.toml"},
          {"environment", Kind::flag, "Count the DROVER_* variables of this shell too"}};
}

}  // namespace

std::vector<Command> config_commands() {
  std::vector<Parameter> shown = parameters();
  shown.insert(shown.begin(),
               {"origin", Kind::flag, "Show where each value comes from, with file and line"});
  return {
      {"config",
       "show",
       "Show what the daemons of this host would start with",
       std::move(shown),
       {"drover config show --origin", "drover config show --role master --file new.toml -o yaml"},
       show},
      {"config",
       "check",
       "Find every mistake in the daemons' files; 1 when there is one",
       parameters(),
       {"drover config check", "drover config check --role aggregator --file new.toml"},
       check},
  };
}

}  // namespace drover::cli
