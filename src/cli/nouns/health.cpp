// drover health: every daemon, its links, and what is wrong with what to do next.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "cli/style.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

const json::array& array_of(const json::value& in, std::string_view path) {
  static const json::array none;
  const json::value* value = find_path(in, path);
  return value == nullptr || !value->is_array() ? none : value->get_array();
}

/// "a1, a2 down": peers in their order, what is not up said.
std::string links_text(const json::value& daemon) {
  std::string out;
  for (const json::value& link : array_of(daemon, "links")) {
    if (!out.empty()) out += ", ";
    const std::string role = text_at(link, "role");
    if (role == "primary" || role == "secondary") out += role + " ";
    out += text_at(link, "peer");
    const std::string state = text_at(link, "state");
    if (state != "up") out += " " + (state.empty() ? "unknown" : state);
  }
  return out;
}

const ListView& daemon_view() {
  static const ListView view{{{"DAEMON", "name"},
                              {"ROLE", "role"},
                              {"STATE", "state", Show::state},
                              {"VERSION", "version"},
                              {"RESTARTS", "restarts", Show::number},
                              {"ADDRESS", "address", Show::text, true},
                              {"SINCE", "since", Show::age, true},
                              {"LINKS", "links_text", Show::text, false, true},
                              {"WHY", "why", Show::text, false, true}},
                             "name"};
  return view;
}

void print_problem(Context& context, const json::value& problem) {
  const std::string severity = text_at(problem, "severity");
  const Tone tone = severity == "error" ? Tone::bad : Tone::warning;
  const std::string why = text_at(problem, "why");
  context.print(fmt::format("  {:<7} {}: {}{}\n", toned(severity, tone, context.output().colour),
                            text_at(problem, "subject"), text_at(problem, "what"),
                            why.empty() ? "" : fmt::format(" ({})", why)));
  if (const std::string next = text_at(problem, "next"); !next.empty()) {
    context.print(fmt::format("          next: {}\n", next));
  }
}

std::string totals_text(const json::value& health) {
  std::string out;
  const json::value* nodes = find_path(health, "totals.nodes");
  if (nodes == nullptr || !nodes->is_object()) return "none";
  for (const auto& [state, count] : nodes->get_object()) {
    if (count.is_number() && count.to_number<double>() == 0) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", scalar_text(count),
                       printable(std::string_view(state)));
  }
  return out.empty() ? "none" : out;
}

Result<int> health(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer, client->get("/api/v1/health", context.timeout()));
  const std::string status = text_at(answer, "status");
  const int code = status == "ok" ? 0 : 1;
  if (context.output().format == Format::csv || context.output().format == Format::name) {
    return context.print_list(array_of(answer, "daemons"), daemon_view(), code);
  }
  if (!context.for_people()) return context.print_document(answer, code);
  const bool colour = context.output().colour;
  context.print(
      fmt::format("cluster {} is {}; nodes: {}; answered by {} {}\n\n", text_at(answer, "cluster"),
                  toned(status, tone_of_state(status), colour), totals_text(answer),
                  text_at(answer, "answered_by.role"), text_at(answer, "answered_by.name")));
  json::array daemons;
  std::vector<const json::value*> problems;
  for (const json::value& problem : array_of(answer, "problems")) problems.push_back(&problem);
  for (const json::value& daemon : array_of(answer, "daemons")) {
    json::value row = daemon;
    if (row.is_object()) {
      row.get_object()["links_text"] = links_text(daemon);
      // What is up needs no reason: such daemons fold into one row.
      if (text_at(row, "state") == "up") row.get_object()["why"] = "";
    }
    daemons.push_back(std::move(row));
  }
  DROVER_TRY(const int printed, context.print_list(std::move(daemons), daemon_view(), code));
  if (problems.empty()) return printed;
  context.print(fmt::format("\n{} problem{}:\n", problems.size(), problems.size() == 1 ? "" : "s"));
  for (const json::value* problem : problems) print_problem(context, *problem);
  return printed;
}

}  // namespace

std::vector<Command> health_commands() {
  return {{"health",
           "",
           "Every daemon, its links, and what is wrong; exit code 1 unless all is well",
           {},
           {"drover health", "drover health -o json", "drover health || mail -s drover ops"},
           health}};
}

}  // namespace drover::cli
