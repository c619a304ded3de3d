// drover power: switches nodes by their BMCs, and keeps what it takes to get into these.
#include "cli/nouns/power.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/context.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/operation.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kCredentials = "/api/v1/bmc-credentials";

Status add_numbers(const Given& given, json::object& request) {
  static constexpr std::pair<const char*, const char*> kNumbers[] = {{"graceful", "graceful_s"},
                                                                     {"forced", "forced_s"},
                                                                     {"at-a-time", "at_a_time"},
                                                                     {"per-second", "per_second"}};
  for (const auto& [option, field] : kNumbers) {
    if (!given.has(option)) continue;
    DROVER_TRY(request[field], number_of(fmt::format("--{}", option), given.text(option)));
  }
  json::object limits;
  for (const std::string& word : given.all("group-limit")) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" limits nothing: expected GROUP=N", printable(word)),
                  "drover power on '*' --group-limit rack1=4");
    }
    DROVER_TRY(limits[word.substr(0, equals)], number_of("--group-limit", word.substr(equals + 1)));
  }
  if (!limits.empty()) request["group_limits"] = std::move(limits);
  return {};
}

Result<int> send(Context& context, const Given& given, json::object request) {
  request["nodes"] = given.text("noderange");
  if (given.has("why")) request["why"] = given.text("why");
  if (given.has("force")) request["force"] = true;
  DROVER_CHECK_OK(add_numbers(given, request));
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value operation,
             client->send("POST", "/api/v1/power", request, std::chrono::seconds(10)));
  if (given.has("async")) {
    if (!context.for_people()) return context.print_document(operation, 0);
    context.print(text_at(operation, "id") + "\n");
    return 0;
  }
  DROVER_TRY(const json::value ended, await_operation(context, text_at(operation, "id")));
  return print_ended(context, ended);
}

Result<int> change(Context& context, const Given& given, json::object request,
                   std::string_view words) {
  DROVER_CHECK_OK(check_range(given.text("noderange")));
  DROVER_TRY(const auto names, ask_nodes(context, given.text("noderange")));
  const std::string what = fmt::format("{} {}", words, fold_names(names));
  if (given.has("dry-run")) {
    context.print(fmt::format("would {}\n", what));
    return 0;
  }
  DROVER_CHECK_OK(context.confirm_many(names.size(), what));
  return send(context, given, std::move(request));
}

Result<int> status(Context& context, const Given& given) {
  DROVER_CHECK_OK(check_range(given.text("noderange")));
  return send(context, given, json::object{{"action", "status"}});
}
Result<int> on(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "on"}}, "power on");
}
Result<int> off(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "off"}}, "power off");
}
Result<int> soft_off(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "soft_off"}}, "shut down");
}
Result<int> force_off(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "force_off"}}, "force off");
}
Result<int> cycle(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "cycle"}}, "power off and on");
}
Result<int> reset(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "reset"}}, "reset");
}
Result<int> soft_restart(Context& context, const Given& given) {
  return change(context, given, json::object{{"action", "soft_restart"}}, "restart");
}
Result<int> identify(Context& context, const Given& given) {
  const std::string light = given.text("light");
  return change(context, given, json::object{{"action", "identify"}, {"light", light}},
                light == "blink" ? "let the light blink at" : "turn the light " + light + " at");
}
Result<int> boot(Context& context, const Given& given) {
  const bool persistent = given.has("persistent");
  return change(
      context, given,
      json::object{
          {"action", "boot_device"}, {"device", given.text("device")}, {"persistent", persistent}},
      fmt::format("{} boot {} from", persistent ? "always" : "once", given.text("device")));
}

/// "Whole enclosure: 500 W (350 to 1600)", all of a machine's in one line.
std::string caps_text(const std::string& result) {
  const auto value = parse_json(result);
  const json::value* caps = value ? find_path(*value, "caps") : nullptr;
  if (caps == nullptr || !caps->is_array()) return result;
  std::string out;
  for (const json::value& cap : caps->get_array()) {
    const std::string limit = text_at(cap, "limit");
    const std::string least = text_at(cap, "least");
    const std::string most = text_at(cap, "most");
    out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", text_at(cap, "name"),
                       limit == "0" ? "no limit" : limit + " W");
    if (!most.empty()) {
      out += least.empty() ? fmt::format(" (up to {})", most)
                           : fmt::format(" ({} to {})", least, most);
    }
  }
  return out;
}

Result<int> cap(Context& context, const Given& given) {
  DROVER_CHECK_OK(check_range(given.text("noderange")));
  json::object request{{"nodes", given.text("noderange")}};
  if (given.has("why")) request["why"] = given.text("why");
  if (given.has("watts")) {
    const bool none = given.text("watts") == "none";
    DROVER_TRY(const uint64_t watts, number_of("WATTS", none ? "0" : given.text("watts")));
    DROVER_TRY(const auto names, ask_nodes(context, given.text("noderange")));
    const std::string what =
        none ? fmt::format("take the limits of power of {} away", fold_names(names))
             : fmt::format("limit the power of {} to {} W each", fold_names(names), watts);
    if (given.has("dry-run")) {
      context.print(fmt::format("would {}\n", what));
      return 0;
    }
    DROVER_CHECK_OK(context.confirm_many(names.size(), what));
    request["watts"] = watts;
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value operation,
             client->send("POST", "/api/v1/power-caps", request, std::chrono::seconds(10)));
  if (given.has("async")) {
    if (!context.for_people()) return context.print_document(operation, 0);
    context.print(text_at(operation, "id") + "\n");
    return 0;
  }
  DROVER_TRY(json::value ended, await_operation(context, text_at(operation, "id")));
  if (context.for_people()) {
    for (json::value& group : ended.at("groups").as_array()) {
      if (group.at("result").is_string()) {
        group.at("result") = caps_text(std::string(group.at("result").get_string()));
      }
    }
  }
  return print_ended(context, ended);
}

/// "default", "group/rack1" or "bmc/10.0.0.7" as a path.
Result<std::string> credential_path(const std::string& who) {
  const size_t slash = who.find('/');
  const std::string scope = who.substr(0, slash);
  const std::string name = slash == std::string::npos ? who : who.substr(slash + 1);
  const bool fits = slash == std::string::npos
                        ? who == "default"
                        : (scope == "group" || scope == "bmc") && !name.empty();
  if (!fits) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" names no BMCs: expected default, group/NAME or bmc/ADDRESS",
                            printable(who)),
                "drover power credential default --user root --password-file FILE");
  }
  return fmt::format("{}/{}/{}", kCredentials, scope, net::percent_encode(name));
}

Result<int> credential(Context& context, const Given& given) {
  DROVER_TRY(const std::string path, credential_path(given.text("who")));
  DROVER_TRY(Client* const client, context.client());
  if (given.has("remove")) {
    DROVER_CHECK_OK(client->send("DELETE", path, json::value(), context.timeout()));
    return 0;
  }
  if (!given.has("user") || !given.has("password-file")) {
    return fail(Code::invalid_argument, "--user and --password-file are needed",
                "drover power credential default --user root --password-file - (standard input)");
  }
  DROVER_TRY(std::string password, read_text(context, given.text("password-file")));
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) {
    password.pop_back();
  }
  DROVER_CHECK_OK(client->send("PUT", path,
                               json::object{{"user", given.text("user")}, {"password", password}},
                               context.timeout()));
  return 0;
}

Result<int> credentials(Context& context, const Given& /*given*/) {
  static const ListView view{
      {{"SCOPE", "scope"}, {"NAME", "name"}, {"USER", "user"}, {"CHANGED", "changed", Show::age}}};
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(std::string(kCredentials), context.timeout()));
  if (items.empty() && context.for_people()) context.warn("no password of a BMC is kept");
  return context.print_list(std::move(items), view);
}

Result<int> forget_key(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_CHECK_OK(client->send("DELETE",
                               "/api/v1/bmc-keys/" + net::percent_encode(given.text("bmc")),
                               json::value(), context.timeout()));
  return 0;
}

Parameter force() {
  return {"force", Kind::flag, "Pass over locks and reservations"};
}

std::vector<Parameter> parameters(bool graceful) {
  std::vector<Parameter> all{{"noderange", Kind::required, "Nodes"}};
  if (graceful) {
    all.push_back(
        {"graceful", Kind::option, "Seconds for an orderly end before it is forced [120]"});
  }
  all.push_back({"forced", Kind::option, "Seconds that any other change may take [60]"});
  all.push_back({"at-a-time", Kind::option, "How many nodes are worked on at a time [100]"});
  all.push_back({"per-second", Kind::option, "How many nodes begin in a second [50]"});
  all.push_back({"group-limit", Kind::repeated, "GROUP=N: of that group so many at a time"});
  all.push_back(force());
  all.push_back({"why", Kind::option, "Reason, kept in the nodes' states and the history"});
  all.push_back({"async", Kind::flag, "Do not wait: print the operation's id"});
  all.push_back({"dry-run", Kind::flag, "Show what would be done"});
  return all;
}

std::vector<Command> switching() {
  return {
      {"power",
       "status",
       "Ask the BMCs whether nodes are on",
       {{"noderange", Kind::required, "Nodes"},
        {"async", Kind::flag, "Do not wait: print the operation's id"}},
       {"drover power status 'n[1-8]'"},
       status},
      {"power",
       "on",
       "Switch nodes on, and see that they are",
       parameters(false),
       {"drover power on 'n[1-8]'", "drover power on @rack1 --per-second 5 --why maintenance"},
       on},
      {"power",
       "off",
       "Ask nodes' systems to end, then force them off",
       parameters(true),
       {"drover power off n1", "drover power off '*' --graceful 300 --group-limit rack1=4"},
       off},
      {"power",
       "soft-off",
       "Ask nodes' systems to end, and never force them",
       parameters(true),
       {"drover power soft-off n1"},
       soft_off},
      {"power",
       "force-off",
       "Force nodes off at once",
       parameters(false),
       {"drover power force-off n1"},
       force_off},
      {"power",
       "cycle",
       "Switch nodes off, then on again",
       parameters(true),
       {"drover power cycle n1"},
       cycle},
      {"power",
       "reset",
       "Restart nodes at once, without their systems' knowledge",
       parameters(false),
       {"drover power reset n1"},
       reset},
      {"power",
       "soft-restart",
       "Ask nodes' systems to restart; those whose BMCs cannot ask are switched off and on",
       parameters(true),
       {"drover power soft-restart n1"},
       soft_restart},
  };
}

}  // namespace

Result<uint64_t> number_of(std::string_view name, const std::string& text) {
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return number;
  return fail(Code::invalid_argument,
              fmt::format("{}: expected a whole number, got \"{}\"", name, printable(text)));
}

Result<int> print_ended(Context& context, const json::value& operation) {
  const int code = text_at(operation, "state") == "done" ? 0 : 1;
  const json::value* groups = find_path(operation, "groups");
  if (groups == nullptr || !groups->is_array()) return context.print_document(operation, code);
  if (!context.for_people()) {
    const bool whole =
        context.output().format == Format::json || context.output().format == Format::yaml;
    if (whole) return context.print_document(operation, code);
    static const ListView view{{{"NODES", "nodes"},
                                {"COUNT", "count", Show::number},
                                {"OUTCOME", "outcome", Show::state},
                                {"RESULT", "result"},
                                {"ERROR", "error.message"}},
                               "",
                               "nodes"};
    return context.print_list(groups->get_array(), view, code);
  }
  for (const json::value& group : groups->get_array()) {
    const std::string nodes = text_at(group, "nodes");
    const std::string outcome = text_at(group, "outcome");
    if (outcome == "done") {
      context.print(printable(fmt::format("{}: {}", nodes, text_at(group, "result"))) + "\n");
    } else {
      const std::string why = text_at(group, "error.message");
      context.warn(fmt::format("{}: {}{}", nodes, outcome, why.empty() ? "" : ": " + why));
    }
  }
  return code;
}

std::vector<Command> power_commands() {
  std::vector<Command> all = switching();
  all.push_back(
      {"power",
       "boot",
       "Say what nodes boot from next",
       {{"noderange", Kind::required, "Nodes"},
        {"device", Kind::required, "Device", {"none", "pxe", "http", "disk", "cd", "usb", "bios"}},
        {"persistent", Kind::flag, "At every boot, not only at the next"},
        force(),
        {"why", Kind::option, "Reason, kept in the history"},
        {"async", Kind::flag, "Do not wait: print the operation's id"},
        {"dry-run", Kind::flag, "Show what would be done"}},
       {"drover power boot 'n[1-8]' pxe", "drover power boot n1 disk --persistent"},
       boot});
  all.push_back({"power",
                 "identify",
                 "Show people where nodes are: the light at their front and back",
                 {{"noderange", Kind::required, "Nodes"},
                  {"light", Kind::required, "Light", {"on", "off", "blink"}},
                  {"why", Kind::option, "Reason, kept in the history"},
                  {"async", Kind::flag, "Do not wait: print the operation's id"},
                  {"dry-run", Kind::flag, "Show what would be done"}},
                 {"drover power identify n7 blink", "drover power identify @rack1 off"},
                 identify});
  all.push_back(
      {"power",
       "cap",
       "Show or set how much power nodes may draw",
       {{"noderange", Kind::required, "Nodes"},
        {"watts", Kind::optional, "Most watts of each, or none; without: they are shown"},
        {"why", Kind::option, "Reason, kept in the history"},
        {"async", Kind::flag, "Do not wait: print the operation's id"},
        {"dry-run", Kind::flag, "Show what would be done"}},
       {"drover power cap 'n[1-8]'", "drover power cap @rack1 500", "drover power cap n1 none"},
       cap});
  all.push_back({"power",
                 "credentials",
                 "List for which BMCs passwords are kept",
                 {},
                 {"drover power credentials"},
                 credentials});
  all.push_back({"power",
                 "credential",
                 "Keep or remove the password of BMCs",
                 {{"who", Kind::required, "default, group/NAME or bmc/ADDRESS"},
                  {"user", Kind::option, "Account on the BMCs"},
                  {"password-file", Kind::option, "File with its password, - for standard input"},
                  {"remove", Kind::flag, "Forget it"}},
                 {"drover power credential default --user root --password-file bmc.password",
                  "drover power credential group/rack1 --user admin --password-file -"},
                 credential});
  all.push_back({"power",
                 "forget-key",
                 "Forget the certificate of a BMC that was replaced",
                 {{"bmc", Kind::required, "ADDRESS:PORT of the BMC"}},
                 {"drover power forget-key 10.0.0.7:443"},
                 forget_key});
  return all;
}

}  // namespace drover::cli
