// drover explain: what a field, a state, an error or a metric means. Needs no daemon.
#include "cli/explain.hpp"

#include "base/json_values.hpp"
#include "cli/context.hpp"
#include "cli/contract_kinds.hpp"
#include "cli/nouns/nouns.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

json::object document_of(const Explanation& explanation) {
  json::array facts;
  for (const auto& [title, text] : explanation.facts) {
    facts.push_back(json::object{{"title", title}, {"text", text}});
  }
  return {{"what", explanation.what},
          {"name", explanation.name},
          {"text", explanation.text},
          {"facts", std::move(facts)}};
}

std::string overview() {
  std::string out = "drover explain explains\n";
  for (const FieldKind& kind : explained_kinds()) {
    out += fmt::format("  {:<14}  the fields of {}\n", kind.name, kind.help);
  }
  out +=
      "  a field         by its path: phase.state, summary.cpus, part.serial\n"
      "  a state         node_up, lost, maintenance: how it is reached and left\n"
      "  an error        conflict, denied, urn:drover:problem:too-old\n"
      "  an attribute    of nodes, groups and profiles\n"
      "  a metric        load_1m, memory_used_bytes\n"
      "  noderange       the expressions that name nodes\n";
  return out;
}

Result<int> explain_word(Context& context, const Given& given) {
  if (!given.has("topic")) {
    context.print(overview());
    return 0;
  }
  DROVER_TRY(const auto found, explain(given.text("topic")));
  if (!context.for_people()) {
    static const ListView view{{{"WHAT", "what"}, {"NAME", "name"}, {"TEXT", "text"}}};
    json::array items;
    for (const Explanation& one : found) items.push_back(document_of(one));
    return context.print_list(std::move(items), view);
  }
  bool first = true;
  for (const Explanation& one : found) {
    if (!std::exchange(first, false)) context.print("\n");
    context.print(explanation_text(one));
  }
  return 0;
}

}  // namespace

std::vector<Command> explain_commands() {
  return {{"explain",
           "",
           "Explain a field, a state, an error or a metric",
           {{"topic", Kind::optional, "What to explain [a list of what there is]"}},
           {"drover explain phase.state", "drover explain lost", "drover explain conflict"},
           explain_word}};
}

}  // namespace drover::cli
