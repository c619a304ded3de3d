// drover boot unknown, approve and ignore: machines that no node is known by, and who they are.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cli/context.hpp"
#include "cli/nouns/boot_nouns.hpp"
#include "cluster/net_address.hpp"
#include "net/http/target.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<int> unknown(Context& context, const Given&) {
  static const ListView view{{{"MAC", "mac"},
                              {"NETWORK", "network"},
                              {"PORT", "port"},
                              {"CLIENT", "client"},
                              {"ARCH", "arch"},
                              {"FIRST", "first_seen", Show::age},
                              {"LAST", "last_seen", Show::age},
                              {"COUNT", "count", Show::number},
                              {"UUID", "uuid", Show::text, true},
                              {"DAEMON", "daemon", Show::text, true},
                              {"IGNORED", "ignored"},
                              {"WHY", "why", Show::text, false, true}},
                             "",
                             "mac",
                             {},
                             "no unknown machines"};
  return context.print_list_at("/api/v1/boot/unknown", view);
}

std::string machine_path(const std::string& mac, std::string_view rest = {}) {
  return fmt::format("/api/v1/boot/unknown/{}{}", net::percent_encode(mac), rest);
}

Status must_be_mac(const std::string& text) {
  if (cluster::canonical_mac(text)) return {};
  return fail(Code::invalid_argument,
              fmt::format("'{}' is no MAC address such as 52:54:00:77:00:01", printable(text)),
              "drover boot unknown");
}

std::string dry(std::string path, const Given& given) {
  return given.has("dry-run") ? with_query(std::move(path), "dry_run", "true") : path;
}

/// Each machine with its name, or why it has none; the exit code.
Result<int> print_named(Context& context, const Given& given, json::array machines) {
  size_t failed = 0;
  for (const json::value& machine : machines) {
    failed += text_at(machine, "problem").empty() ? 0 : 1;
  }
  const int code = failed == 0 ? 0 : 1;
  if (!context.for_people()) {
    static const ListView view{
        {{"MAC", "mac"}, {"NODE", "node"}, {"PROBLEM", "problem"}}, "", "node"};
    return context.print_list(std::move(machines), view, code);
  }
  const std::string_view verb = given.has("dry-run") ? "would be" : "is";
  if (machines.empty()) context.warn("no machine waits for a name");
  for (const json::value& machine : machines) {
    const std::string problem = text_at(machine, "problem");
    if (problem.empty()) {
      context.print(
          fmt::format("{} {} {}\n", text_at(machine, "mac"), verb, text_at(machine, "node")));
    } else {
      context.warn(fmt::format("{}: {}", text_at(machine, "mac"), problem));
    }
  }
  return code;
}

Result<int> number(Context& context, const Given& given) {
  const std::string& range = given.text("auto");
  DROVER_TRY(const auto names, expand_names(range));
  json::object body{{"nodes", range}, {"why", given.text("why")}};
  if (given.has("by")) body["by"] = given.text("by");
  if (given.has("network")) body["network"] = given.text("network");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer, client->send("POST", dry("/api/v1/boot/number", given), body,
                                                    context.timeout(std::chrono::seconds(60))));
  const json::value* items = find_path(answer, "items");
  return print_named(context, given,
                     items != nullptr && items->is_array() ? items->get_array() : json::array());
}

Result<int> approve(Context& context, const Given& given) {
  const std::string& mac = given.text("mac");
  if (given.has("auto")) {
    if (!mac.empty() || given.has("as") || given.has("interface") || given.has("replace")) {
      return fail(Code::invalid_argument, "--auto is about all machines that wait, without a MAC");
    }
    return number(context, given);
  }
  if (mac.empty() || !given.has("as")) {
    return fail(Code::invalid_argument, "name the machine and who it is, or all of them",
                "drover boot approve 52:54:00:77:00:01 --as n1");
  }
  if (given.has("by") || given.has("network")) {
    return fail(Code::invalid_argument, "--by and --network go with --auto");
  }
  DROVER_CHECK_OK(must_be_mac(mac));
  json::object body{
      {"node", given.text("as")}, {"replace", given.has("replace")}, {"why", given.text("why")}};
  if (given.has("interface")) body["interface"] = given.text("interface");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::value named, client->send("POST", dry(machine_path(mac, "/approve"), given),
                                             body, context.timeout()));
  return print_named(context, given, json::array{std::move(named)});
}

Result<int> ignore(Context& context, const Given& given) {
  const std::string& mac = given.text("mac");
  DROVER_CHECK_OK(must_be_mac(mac));
  if (given.has("undo") && given.has("forget")) {
    return fail(Code::invalid_argument, "--undo and --forget exclude each other");
  }
  DROVER_TRY(Client* const client, context.client());
  if (given.has("forget")) {
    std::string path = dry(machine_path(mac), given);
    if (given.has("why")) path = with_query(std::move(path), "why", given.text("why"));
    DROVER_TRY([[maybe_unused]] const auto gone,
               client->send("DELETE", path, nullptr, context.timeout()));
    if (context.for_people()) context.print(fmt::format("{} is forgotten\n", printable(mac)));
    return 0;
  }
  json::object body{{"ignored", !given.has("undo")}, {"why", given.text("why")}};
  auto sent = client->send("PUT", dry(machine_path(mac), given), body, context.timeout());
  if (!sent && sent.error().code == Code::not_found && !given.has("undo")) {
    body["mac"] = mac;  // before it is seen
    sent = client->send("POST", dry("/api/v1/boot/unknown", given), body, context.timeout());
  }
  DROVER_TRY(const json::value machine, std::move(sent));
  if (!context.for_people()) return context.print_document(machine);
  context.print(fmt::format("{} is {}ignored{}\n", text_at(machine, "mac"),
                            given.has("undo") ? "no longer " : "",
                            given.has("dry-run") ? " (it would be)" : ""));
  return 0;
}

}  // namespace

std::vector<Command> boot_machine_commands() {
  const Parameter why{"why", Kind::option, "Reason, kept in the history"};
  const Parameter check{"dry-run", Kind::flag, "Let the cluster check it and change nothing"};
  return {
      {"boot",
       "unknown",
       "List machines that no node is known by",
       {},
       {"drover boot unknown", "drover boot unknown -o wide"},
       unknown},
      {"boot",
       "approve",
       "Say who an unknown machine is: it boots at its next try",
       {{"mac", Kind::optional, "The machine"},
        {"as", Kind::option, "The node that it is; made when there is none"},
        {"interface", Kind::option, "The node's interface [the first without a MAC]"},
        {"replace", Kind::flag, "The interface may have another MAC: the board was exchanged"},
        {"auto", Kind::option, "Name every machine that waits, out of this noderange"},
        {"by", Kind::option, "With --auto: in what order [arrival]", {"arrival", "port"}},
        {"network", Kind::option, "With --auto: only machines on this network"},
        why,
        check},
       {"drover boot approve 52:54:00:77:00:01 --as n1",
        "drover boot approve 52:54:00:77:00:99 --as n1 --replace --why 'new board'",
        "drover boot approve --auto 'n[1-64]' --by port --dry-run"},
       approve},
      {"boot",
       "ignore",
       "Answer nothing to an unknown machine, or do so again",
       {{"mac", Kind::required, "The machine"},
        {"undo", Kind::flag, "Answer it again"},
        {"forget", Kind::flag, "Take it off the list until it is seen again"},
        why,
        check},
       {"drover boot ignore 52:54:00:77:00:01 --why 'the switch itself'",
        "drover boot ignore 52:54:00:77:00:01 --undo"},
       ignore},
  };
}

}  // namespace drover::cli
