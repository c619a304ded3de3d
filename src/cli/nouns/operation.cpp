// drover operation: long-running requests; and the words that other commands show them with.
#include "cli/nouns/operation.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// The server answers a wait after this long at the latest, and is asked again.
constexpr Duration kOneWait = std::chrono::seconds(60);
/// The same where somebody looks on.
constexpr Duration kOneLook = std::chrono::seconds(1);

std::string path_of(const std::string& id) {
  return "/api/v1/operations/" + net::percent_encode(id);
}
std::string path_of(const Given& given) {
  return path_of(given.text("id"));
}

bool has_ended(const json::value& operation) {
  const std::string state = text_at(operation, "state");
  return state != "running" && state != "cancelling";
}

/// 0 when every node is done.
int exit_code(const json::value& operation) {
  return has_ended(operation) && text_at(operation, "state") != "done" ? 1 : 0;
}

const ListView& operations_view() {
  static const ListView view{{{"ID", "id"},
                              {"KIND", "kind"},
                              {"WHAT", "what"},
                              {"STATE", "state", Show::state},
                              {"NODES", "nodes"},
                              {"ENDED", "settled", Show::number},
                              {"OF", "total", Show::number},
                              {"DONE", "done", Show::number},
                              {"WHO", "who"},
                              {"CREATED", "created", Show::age}},
                             "",
                             "id",
                             "operation"};
  return view;
}

Result<int> list(Context& context, const Given& given) {
  std::string path = "/api/v1/operations";
  if (given.has("state")) path += "?state=" + net::percent_encode(given.text("state"));
  return context.print_list_at(path, operations_view());
}

void print_operation(Context& context, const json::value& operation) {
  context.print(fmt::format("{} {}: {} on {}\n", text_at(operation, "kind"),
                            text_at(operation, "id"), text_at(operation, "what"),
                            text_at(operation, "nodes")));
  const std::string why = text_at(operation, "why");
  context.print(fmt::format("{}{}{}: {} of {} nodes have ended, {} done\n",
                            text_at(operation, "state"), why.empty() ? "" : ", ", why,
                            text_at(operation, "settled"), text_at(operation, "total"),
                            text_at(operation, "done")));
  const json::value* groups = find_path(operation, "groups");
  if (groups == nullptr || !groups->is_array()) return;
  for (const json::value& group : groups->get_array()) {
    const std::string said = text_at(group, "error.message").empty()
                                 ? text_at(group, "result")
                                 : text_at(group, "error.message");
    context.print(
        printable(fmt::format("{} ({}): {}{}{}", text_at(group, "nodes"), text_at(group, "count"),
                              text_at(group, "outcome"), said.empty() ? "" : ": ", said),
                  true) +
        "\n");
  }
}

Result<int> print(Context& context, const json::value& operation) {
  if (!context.for_people()) return context.print_document(operation, exit_code(operation));
  print_operation(context, operation);
  return exit_code(operation);
}

Result<int> show(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value operation, client->get(path_of(given), context.timeout()));
  return print(context, operation);
}

Result<int> cancel(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  std::string path = path_of(given);
  if (given.has("why")) path += "?why=" + net::percent_encode(given.text("why"));
  DROVER_TRY(const json::value operation,
             client->send("DELETE", path, json::value(), context.timeout()));
  if (!context.for_people()) return context.print_document(operation, 0);
  context.print(fmt::format("{} is {}\n", given.text("id"), text_at(operation, "state")));
  return 0;
}

Result<int> wait(Context& context, const Given& given) {
  DROVER_TRY(const json::value operation, await_operation(context, given.text("id")));
  return print(context, operation);
}

}  // namespace

Result<json::value> await_operation(Context& context, const std::string& id, OperationSeen seen) {
  DROVER_TRY(Client* const client, context.client());
  const bool limited = context.timeout(Duration::zero()) != Duration::zero();
  const WallTime end = context.surroundings().loop.wall() + context.timeout(Duration::zero());
  for (;;) {
    Duration left = seen ? kOneLook : kOneWait;
    if (limited) left = std::min<Duration>(left, end - context.surroundings().loop.wall());
    const auto seconds =
        std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(left).count());
    DROVER_TRY(json::value operation, client->get(fmt::format("{}?wait={}", path_of(id), seconds),
                                                  std::chrono::seconds(seconds + 10)));
    if (has_ended(operation)) return operation;
    if (seen) seen(operation);
    if (limited && context.surroundings().loop.wall() >= end) {
      return fail(Code::timed_out,
                  fmt::format("operation {} is still {}: {} of {} nodes have ended", id,
                              text_at(operation, "state"), text_at(operation, "settled"),
                              text_at(operation, "total")),
                  "drover operation wait " + id);
    }
  }
}

std::vector<Command> operation_commands() {
  const Parameter id{"id", Kind::required, "Id of the operation"};
  return {
      {"operation",
       "list",
       "List long-running requests, the newest first",
       {{"state",
         Kind::option,
         "Only those in this state",
         {"unfinished", "running", "cancelling", "done", "failed", "cancelled", "interrupted"}}},
       {"drover operation list", "drover operation list --state unfinished"},
       list},
      {"operation",
       "show",
       "Show a long-running request and how its nodes ended",
       {id},
       {"drover operation show 0f6c2f0f9f0e4f0aa6e1d2c3b4a59687"},
       show},
      {"operation",
       "wait",
       "Wait for the end of a long-running request; exits with 1 unless every node is done",
       {id},
       {"drover operation wait 0f6c2f0f9f0e4f0aa6e1d2c3b4a59687 --timeout 5m"},
       wait},
      {"operation",
       "cancel",
       "Stop a long-running request; what nodes have done stays done",
       {id, {"why", Kind::option, "Reason, kept with it"}},
       {"drover operation cancel 0f6c2f0f9f0e4f0aa6e1d2c3b4a59687 --why 'wrong nodes'"},
       cancel},
  };
}

}  // namespace drover::cli
