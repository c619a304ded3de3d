// drover discover: reads what is behind the BMCs of nodes and keeps it.
#include "cli/nouns/discover.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "cli/context.hpp"
#include "cli/nouns/operation.hpp"
#include "cli/nouns/power.hpp"

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<int> collect(Context& context, const Given& given) {
  DROVER_CHECK_OK(check_range(given.text("noderange")));
  if (given.has("dry-run")) {
    DROVER_TRY(const auto names, ask_nodes(context, given.text("noderange")));
    context.print(fmt::format("would look through the BMCs of {}\n", fold_names(names)));
    return 0;
  }
  json::object request{{"nodes", given.text("noderange")}};
  if (given.has("why")) request["why"] = given.text("why");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value operation,
             client->send("POST", "/api/v1/discover", request, std::chrono::seconds(10)));
  if (given.has("async")) {
    if (!context.for_people()) return context.print_document(operation, 0);
    context.print(text_at(operation, "id") + "\n");
    return 0;
  }
  DROVER_TRY(const json::value ended, await_operation(context, text_at(operation, "id")));
  return print_ended(context, ended);
}

}  // namespace

std::vector<Command> discover_commands() {
  return {{"discover",
           "collect",
           "Look through the BMCs of nodes and keep the parts, firmware and addresses behind them",
           {{"noderange", Kind::required, "Nodes"},
            {"why", Kind::option, "Reason, kept in the history"},
            {"async", Kind::flag, "Do not wait: print the operation's id"},
            {"dry-run", Kind::flag, "Show what would be done"}},
           {"drover discover collect 'n[1-8]'"},
           collect}};
}

}  // namespace drover::cli
