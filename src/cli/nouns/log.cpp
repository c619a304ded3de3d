// drover log level, drover reload: steering one running daemon of this host.
#include "base/json_values.hpp"
#include "base/log_levels.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr const char* kLevels = "/api/v1/local/log-levels";

/// A connection to the daemon that was named by its role, or to the usual one.
struct Daemon {
  std::unique_ptr<Client> own;
  Client* client = nullptr;
};

Result<Daemon> daemon_of(Context& context, const std::string& role) {
  Daemon out;
  if (role.empty()) {
    DROVER_TRY(out.client, context.client());
    return out;
  }
  const std::string file = "/" + role + ".sock";
  const auto& sockets = context.surroundings().sockets;
  const auto it = std::find_if(sockets.begin(), sockets.end(),
                               [&](const std::string& path) { return path.ends_with(file); });
  if (it == sockets.end()) {
    return fail(Code::invalid_argument, fmt::format("no daemon is called {}", printable(role)),
                "master, aggregator, utility or compute; others by --socket");
  }
  Given globals;
  globals.set("socket", {*it});
  DROVER_TRY(out.own, Client::make(globals, context.surroundings()));
  out.client = out.own.get();
  return out;
}

const ListView& level_view() {
  static const ListView view{
      {{"COMPONENT", "component"}, {"LEVEL", "level"}, {"FROM", "origin"}}, "", "component"};
  return view;
}

Result<int> print_levels(Context& context, const json::value& answer) {
  const Format format = context.output().format;
  if (!context.for_people() && format != Format::csv && format != Format::name) {
    return context.print_document(answer);
  }
  json::array rows;
  rows.push_back(json::object{{"component", "*"},
                              {"level", text_at(answer, "level")},
                              {"origin", text_at(answer, "origin")}});
  const json::value* components = find_path(answer, "components");
  if (components != nullptr && components->is_array()) {
    for (const json::value& row : components->get_array()) rows.push_back(row);
  }
  return context.print_list(rows, level_view());
}

/// "link=debug,*=notice" over what is set by hand already.
Result<json::object> levels_of(const json::value& answer, const std::string& text) {
  json::object out;
  const json::value* by_hand = find_path(answer, "by_hand");
  if (by_hand != nullptr && by_hand->is_object()) out = by_hand->get_object();
  for (const std::string& part : split_list(text)) {
    const size_t equals = part.find('=');
    const std::string level = equals == std::string::npos ? part : part.substr(equals + 1);
    const std::string component = equals == std::string::npos ? "*" : part.substr(0, equals);
    if (!severity_from_name(level)) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\": expected one of debug, info, notice, warning, error",
                              printable(part)),
                  "drover log level link=debug");
    }
    out[component] = level;
  }
  return out;
}

Result<int> level(Context& context, const Given& given) {
  std::string role = given.text("daemon");
  std::string wanted = given.text("levels");
  const bool only_levels =
      role.find('=') != std::string::npos || severity_from_name(role).has_value();
  if (only_levels) {
    if (!wanted.empty()) {
      return fail(Code::invalid_argument, "several levels are separated by commas",
                  "drover log level link=debug,call=info");
    }
    wanted = std::exchange(role, {});
  }
  DROVER_TRY(const Daemon daemon, daemon_of(context, role));
  DROVER_TRY(json::value answer, daemon.client->get(kLevels, context.timeout()));
  if (!wanted.empty() || given.has("reset")) {
    const json::value before = given.has("reset") ? json::value(json::object{}) : answer;
    DROVER_TRY(json::object levels, levels_of(before, wanted));
    DROVER_TRY(answer, daemon.client->send("PUT", kLevels, json::object{{"levels", levels}},
                                           context.timeout()));
  }
  return print_levels(context, answer);
}

Result<int> reload(Context& context, const Given& given) {
  DROVER_TRY(const Daemon daemon, daemon_of(context, given.text("daemon")));
  DROVER_TRY(const json::value answer,
             daemon.client->send("POST", "/api/v1/local/reload", nullptr, context.timeout()));
  if (!context.for_people()) return context.print_document(answer);
  static const ListView view{
      {{"OPTION", "key"}, {"BEFORE", "before"}, {"NOW", "after"}, {"IN USE", "live"}}, "", "key"};
  const json::value* items = find_path(answer, "options");
  if (items == nullptr || !items->is_array() || items->get_array().empty()) {
    context.warn("nothing has changed");
    return 0;
  }
  for (const json::value& item : items->get_array()) {
    if (text_at(item, "live") == "true") continue;
    context.warn(fmt::format("{} takes effect at the daemon's next start", text_at(item, "key")));
  }
  return context.print_list(items->get_array(), view);
}

}  // namespace

std::vector<Command> log_commands() {
  const Parameter daemon{"daemon", Kind::optional,
                         "master, aggregator, utility or compute of this host [the first]"};
  return {
      {"log",
       "level",
       "Show or set what a running daemon logs, until its next start",
       {daemon,
        {"levels", Kind::optional, "COMPONENT=LEVEL,.. or LEVEL for all components"},
        {"reset", Kind::flag, "First go back to what the settings say"}},
       {"drover log level", "drover log level link=debug",
        "drover log level aggregator link=debug,call=info", "drover log level --reset"},
       level},
      {"reload",
       "",
       "Have a daemon of this host read its configuration again",
       {daemon},
       {"drover reload", "drover reload aggregator"},
       reload},
  };
}

}  // namespace drover::cli
