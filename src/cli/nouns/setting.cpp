// drover setting: settings of the whole cluster.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& setting_view() {
  static const ListView view{{{"SETTING", "key"},
                              {"VALUE", "value"},
                              {"DEFAULT", "default"},
                              {"FROM", "origin"},
                              {"APPLIES TO", "applies"},
                              {"TYPE", "type", Show::text, true},
                              {"LIVE", "live", Show::text, true},
                              {"DOES", "help", Show::text, true, true}},
                             "",
                             "key"};
  return view;
}

std::string path_of(const std::string& key) {
  return "/api/v1/settings/" + net::percent_encode(key);
}

Result<int> list(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::array items, client->list("/api/v1/settings", context.timeout()));
  if (!given.has("changed")) return context.print_list(items, setting_view());
  json::array changed;
  for (const json::value& item : items) {
    if (text_at(item, "origin") != "default") changed.push_back(item);
  }
  if (changed.empty() && context.for_people()) context.warn("every setting has its default");
  return context.print_list(changed, setting_view());
}

Result<int> get(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  json::array items;
  for (const std::string& key : given.all("setting")) {
    DROVER_TRY(json::value answer, client->get(path_of(key), context.timeout()));
    items.push_back(std::move(answer));
  }
  if (items.size() == 1 && context.output().format == Format::table) {
    return context.print_document(items.front());
  }
  return context.print_list(items, setting_view());
}

/// Sends one change of several settings and shows them as they are then.
Result<int> change(Context& context, json::object set, json::array unset, const Given& given) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : set) keys.emplace_back(key);
  for (const json::value& key : unset) keys.emplace_back(key.as_string());
  json::object body{{"set", std::move(set)}, {"unset", std::move(unset)}};
  if (given.has("why")) body["why"] = given.text("why");
  DROVER_TRY(Client* const client, context.client());
  std::string path = "/api/v1/settings";
  if (given.has("dry-run")) path = with_query(std::move(path), "dry_run", "true");
  DROVER_TRY(const json::value answer, client->send("PATCH", path, body, context.timeout()));
  if (given.has("dry-run")) context.warn("only tried; without --dry-run it is done");
  const json::value* items = find_path(answer, "items");
  json::array shown;
  if (items != nullptr && items->is_array()) {
    for (const json::value& item : items->get_array()) {
      if (std::find(keys.begin(), keys.end(), text_at(item, "key")) == keys.end()) continue;
      shown.push_back(item);
      if (text_at(item, "live") == "false") {
        context.warn(fmt::format("{} takes effect at the next start of: {}", text_at(item, "key"),
                                 text_at(item, "applies")));
      }
    }
  }
  return context.print_list(shown, setting_view());
}

Result<int> set(Context& context, const Given& given) {
  json::object values;
  for (const std::string& pair : given.all("setting")) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" sets nothing: expected SETTING=VALUE", printable(pair)),
                  "drover setting set tree.heartbeat=2s tree.silence=6s");
    }
    const std::string key = pair.substr(0, equals);
    if (values.contains(key)) {
      return fail(Code::invalid_argument, fmt::format("{} is set twice", printable(key)));
    }
    values[key] = pair.substr(equals + 1);
  }
  return change(context, std::move(values), {}, given);
}

Result<int> unset(Context& context, const Given& given) {
  json::array keys;
  for (const std::string& key : given.all("setting")) keys.emplace_back(key);
  return change(context, {}, std::move(keys), given);
}

}  // namespace

std::vector<Command> setting_commands() {
  return {
      {"setting",
       "list",
       "List the cluster's settings, their defaults and where each value comes from",
       {{"changed", Kind::flag, "Only those that are not at their default"}},
       {"drover setting list", "drover setting list --changed", "drover setting list -o wide"},
       list},
      {"setting",
       "get",
       "Show settings with what they do",
       {{"setting", Kind::many, "Settings to show"}},
       {"drover setting get tree.heartbeat"},
       get},
      {"setting",
       "set",
       "Set settings for the whole cluster, at once and all or none",
       {{"setting", Kind::many, "SETTING=VALUE, .."}, why_option(), dry_run_flag()},
       {"drover setting set tree.heartbeat=2s tree.silence=6s --why 'slow network'",
        "drover setting set log.levels=link=debug,call=warning"},
       set},
      {"setting",
       "unset",
       "Take settings back to their defaults",
       {{"setting", Kind::many, "Settings to take back"}, why_option(), dry_run_flag()},
       {"drover setting unset log.levels"},
       unset},
  };
}

}  // namespace drover::cli
