// drover nodes: noderanges expanded, folded, counted.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<std::vector<std::string>> nodes_of(Context& context, const Given& given) {
  const std::string& range = given.text("noderange");
  if (!given.has("offline")) return ask_nodes(context, range);
  DROVER_CHECK_OK(check_range(range));
  return expand_names(range);
}

Result<int> expand(Context& context, const Given& given) {
  DROVER_TRY(const auto names, nodes_of(context, given));
  json::array items;
  std::string text;
  for (const std::string& name : names) {
    items.push_back(json::object{{"name", name}});
    text += printable(name) + "\n";
  }
  if (context.for_people()) {
    context.print(text);
    return 0;
  }
  return context.print_list(items, {{{"NODE", "name"}}});
}

Result<int> count(Context& context, const Given& given) {
  DROVER_TRY(const auto names, nodes_of(context, given));
  if (!context.for_people()) return context.print_document(json::object{{"count", names.size()}});
  context.print(fmt::format("{}\n", names.size()));
  return 0;
}

Result<int> fold(Context& context, const Given& given) {
  std::vector<std::string> names;
  for (std::string text : given.all("name")) {
    if (text == "-") {
      DROVER_TRY(text, context.surroundings().input());
      // Lines and blanks part names in a pipe; in a range they are commas.
      for (char& c : text) {
        if (c == '\n' || c == ' ' || c == '\t' || c == '\r') c = ',';
      }
    }
    // Plain names need no cluster; groups, expressions and attributes do.
    auto more = expand_names(text);
    if (!more && !find_mistake(text)) more = ask_nodes(context, text);
    if (!more) return tl::unexpected(std::move(more).error());
    std::move(more->begin(), more->end(), std::back_inserter(names));
  }
  const std::string folded = fold_names(names, {.steps = given.has("steps")});
  if (!context.for_people()) return context.print_document(json::object{{"nodes", folded}});
  context.print(printable(folded) + "\n");
  return 0;
}

const Parameter& range_parameter() {
  static const Parameter range{"noderange", Kind::required,
                               "n[1-8], rack1,-n3, compute@~^n1, gpu.count>=4, .."};
  return range;
}
const Parameter& offline_parameter() {
  static const Parameter offline{"offline", Kind::flag,
                                 "By syntax alone: no cluster is asked, every name is a node"};
  return offline;
}

}  // namespace

std::vector<Command> nodes_commands() {
  return {
      {"nodes",
       "expand",
       "List the nodes of a noderange, one a line",
       {range_parameter(), offline_parameter()},
       {"drover nodes expand 'rack[1-2],-n3'", "drover nodes expand 'compute@phase.state=lost'",
        "drover nodes expand --offline 'r[1-2]u[01-40]'"},
       expand},
      {"nodes",
       "fold",
       "Write node names as one short noderange",
       {{"name", Kind::many, "Names or noderanges; - reads them from standard input"},
        {"steps", Kind::flag, "Use steps: n[1-9/2]"}},
       {"drover nodes fold n1 n2 n3", "drover node list -o name | drover nodes fold -"},
       fold},
      {"nodes",
       "count",
       "Count the nodes of a noderange",
       {range_parameter(), offline_parameter()},
       {"drover nodes count 'service.state=in_service'"},
       count},
  };
}

}  // namespace drover::cli
