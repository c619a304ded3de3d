// drover call: asks the agents on nodes; equal answers come back as one.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/call_stream.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

uint64_t count_of(const json::value& group) {
  const json::value* count = find_path(group, "count");
  return count != nullptr && count->is_number() ? count->to_number<uint64_t>() : 0;
}

/// "n[1-8]: pong", or the lines below a head line when there are several.
std::string answer_text(const json::value& group) {
  const std::string nodes = text_at(group, "nodes");
  const json::value* result = find_path(group, "result");
  const std::string text =
      result != nullptr && result->is_string()
          ? printable({result->get_string().data(), result->get_string().size()}, true)
          : (result == nullptr ? std::string() : scalar_text(*result));
  if (text.find('\n') == std::string::npos) {
    return fmt::format("{}: {}\n", nodes, text.empty() ? "done" : text);
  }
  return fmt::format("{} ({}):\n{}{}", nodes, count_of(group), text,
                     text.ends_with('\n') ? "" : "\n");
}

std::string failure_text(const json::value& group) {
  const std::string why = text_at(group, "error.message");
  return fmt::format("{}: {}{}", text_at(group, "nodes"), text_at(group, "outcome"),
                     why.empty() ? "" : ": " + why);
}

Result<int> call(Context& context, const Given& given, const std::string& method) {
  const std::string& range = given.text("noderange");
  DROVER_CHECK_OK(check_range(range));
  DROVER_TRY(Client* const client, context.client());
  const Duration deadline = context.timeout(std::chrono::seconds(5));
  json::object request{{"method", method},
                       {"nodes", range},
                       {"payload", ""},
                       {"timeout_ms", deadline / std::chrono::milliseconds(1)}};
  if (given.has("why")) request["why"] = given.text("why");
  if (given.has("async")) {
    DROVER_TRY(const json::value operation,
               client->send("POST", "/api/v1/calls", request, context.timeout(),
                            {.prefer = "respond-async"}));
    if (!context.for_people()) return context.print_document(operation, 0);
    context.print(text_at(operation, "id") + "\n");
    return 0;
  }
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  DROVER_TRY(const json::value answer,
             stream_call(context, *client, request, deadline + std::chrono::seconds(5)));
  const json::value* found = find_path(answer, "groups");
  if (found == nullptr || !found->is_array()) {
    return fail(Code::corrupt, "the daemon's answer holds no groups");
  }
  std::vector<const json::value*> groups;
  for (const json::value& group : found->get_array()) groups.push_back(&group);
  const bool failed = std::any_of(groups.begin(), groups.end(),
                                  [](const auto* g) { return text_at(*g, "outcome") != "done"; });
  const int code = failed ? 1 : 0;
  if (context.output().format == Format::json || context.output().format == Format::yaml) {
    return context.print_document(answer, code);
  }
  if (!context.for_people()) {
    static const ListView view{{{"NODES", "nodes"},
                                {"COUNT", "count", Show::number},
                                {"OUTCOME", "outcome", Show::state},
                                {"RESULT", "result"},
                                {"ERROR", "error.message"}},
                               "",
                               "nodes"};
    return context.print_list(found->get_array(), view, code);
  }
  std::sort(groups.begin(), groups.end(), [](const auto* a, const auto* b) {
    const auto key = [](const json::value* g) {
      return std::make_pair(~count_of(*g), text_at(*g, "nodes"));
    };
    return key(a) < key(b);
  });
  for (const json::value* group : groups) {
    if (text_at(*group, "outcome") == "done") {
      context.print(answer_text(*group));
    } else {
      context.warn(failure_text(*group));
    }
  }
  return code;
}

Result<int> ping(Context& context, const Given& given) {
  return call(context, given, "ping");
}
Result<int> identity(Context& context, const Given& given) {
  return call(context, given, "identity");
}
/// Ends machines, once the user is sure.
Result<int> end_machines(Context& context, const Given& given, std::string_view how) {
  DROVER_TRY(const auto names, ask_nodes(context, given.text("noderange")));
  if (given.has("dry-run")) {
    context.print(fmt::format("would {} {}\n", how, fold_names(names)));
    return 0;
  }
  DROVER_CHECK_OK(context.confirm_many(names.size(), fmt::format("{} {}", how, fold_names(names))));
  return call(context, given, fmt::format("power.{}", how));
}
Result<int> reboot(Context& context, const Given& given) {
  return end_machines(context, given, "reboot");
}
Result<int> halt(Context& context, const Given& given) {
  return end_machines(context, given, "halt");
}
Result<int> poweroff(Context& context, const Given& given) {
  return end_machines(context, given, "poweroff");
}
Result<int> inventory(Context& context, const Given& given) {
  return call(context, given, "inventory.collect");
}

}  // namespace

std::vector<Command> call_commands() {
  const Parameter nodes{"noderange", Kind::required, "Nodes to ask"};
  const Parameter async{"async", Kind::flag,
                        "Do not wait: print the id of an operation, see drover operation"};
  const Parameter dry{"dry-run", Kind::flag, "Show what would be done"};
  const Parameter why{"why", Kind::option, "Reason, kept in the nodes' phases and the history"};
  return {
      {"call",
       "ping",
       "Ask whether the agents answer",
       {nodes, async},
       {"drover call ping 'n[1-8]'", "drover call ping '*' --timeout 2s",
        "drover call ping '*' --async"},
       ping},
      {"call",
       "identity",
       "Ask the agents who they are and what they run",
       {nodes, async},
       {"drover call identity rack1"},
       identity},
      {"call",
       "inventory",
       "Make the agents read and report their hardware again",
       {nodes, async},
       {"drover call inventory n1"},
       inventory},
      {"node",
       "reboot",
       "Make the nodes' own systems start anew, in order",
       {nodes, why, async, dry},
       {"drover node reboot 'n[1-8]' --why 'new kernel'", "drover node reboot rack1 --dry-run"},
       reboot},
      {"node",
       "halt",
       "Make the nodes' own systems stop, in order; the power stays on",
       {nodes, why, async, dry},
       {"drover node halt n1"},
       halt},
      {"node",
       "poweroff",
       "Make the nodes' own systems stop and switch themselves off",
       {nodes, why, async, dry},
       {"drover node poweroff 'n[1-8]'"},
       poweroff},
  };
}

}  // namespace drover::cli
