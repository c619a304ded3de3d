// drover discover: finds BMCs, reads what is behind them and makes nodes of it.
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

/// Of BMCs that scans have found.
json::object found_request(const Given& given) {
  json::object request;
  if (given.has("bmcs")) {
    json::array& bmcs = request["bmcs"].emplace_array();
    for (const std::string& bmc : given.all("bmcs")) bmcs.emplace_back(bmc);
  }
  return request;
}

Result<int> collect(Context& context, const Given& given) {
  const bool found = given.has("found") || given.has("bmcs");
  if (found == given.has("noderange")) {
    return fail(Code::invalid_argument, "expected nodes, or --found for the BMCs of scans",
                "drover discover collect --found");
  }
  if (!found) DROVER_CHECK_OK(check_range(given.text("noderange")));
  if (given.has("dry-run")) {
    if (found) {
      return fail(Code::invalid_argument, "--dry-run is for nodes", "drover discover list");
    }
    DROVER_TRY(const auto names, ask_nodes(context, given.text("noderange")));
    context.print(fmt::format("would look through the BMCs of {}\n", fold_names(names)));
    return 0;
  }
  json::object request =
      found ? found_request(given) : json::object{{"nodes", given.text("noderange")}};
  if (given.has("why")) request["why"] = given.text("why");
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value operation,
             client->send("POST", found ? "/api/v1/discover/bmcs" : "/api/v1/discover", request,
                          std::chrono::seconds(10)));
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
  std::vector<Command> all = discover_scan_commands();
  all.push_back({"discover",
                 "collect",
                 "Look through BMCs and keep the parts, firmware and addresses behind them",
                 {{"noderange", Kind::optional, "Nodes whose BMCs are looked through"},
                  {"found", Kind::flag, "Those that scans have found"},
                  {"bmcs", Kind::repeated, "Of these only: 10.1.0.0/24 or 10.1.0.7"},
                  {"why", Kind::option, "Reason, kept in the history"},
                  {"async", Kind::flag, "Do not wait: print the operation's id"},
                  {"dry-run", Kind::flag, "Show what would be done"}},
                 {"drover discover collect 'n[1-8]'", "drover discover collect --found"},
                 collect});
  for (Command& command : discover_adopt_commands()) all.push_back(std::move(command));
  return all;
}

}  // namespace drover::cli
